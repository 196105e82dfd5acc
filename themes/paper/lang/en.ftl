# What this theme says by itself.
paper-motto = Everyone has a gait. This is how a session knows yours.
