# Was dieses Thema selbst sagt.
paper-motto = Jeder Mensch hat seinen Gang. Daran erkennt eine Sitzung den Ihren.
