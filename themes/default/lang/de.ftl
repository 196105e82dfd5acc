# Deutsch: ganz.

language-name = Deutsch
languages = Sprache
title-error = Fehler:
skip = Zum Inhalt
date-time = { $day }. { $month } { $year }, { $time } UTC
month = { $number ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
}

## Knöpfe und Wörter, die wiederkehren

allow = Erlauben
cancel = Abbrechen
continue = Weiter
deny = Ablehnen
save = Speichern
remove = Entfernen
show = Anzeigen
hide = Verbergen
another-way = Oder anders
wait = möglich in { $seconds } s
when = Wann
where = Wo
with-what = Womit
device = { $browser } auf { $system }
device-unknown = Unbekannter Browser
address-unknown = Unbekannte Adresse

## Anmelden

sign-in = Anmelden
sign-in-for = um mit { $client } weiterzumachen
sign-in-own = bei Ihrem Konto
sign-in-submit = Anmelden
sign-in-again = Wieder anmelden
identifier = Benutzername oder E-Mail
forgot = Passwort vergessen?
again = Bitte bestätigen Sie, dass Sie es sind, bevor es weitergeht.
again-client = { $client } bittet Sie zu bestätigen, dass Sie es sind.
select = Konto wählen
select-continue = Weiter als { $account }
select-other = Anderes Konto verwenden

## Nachfrage

step-up = Sind das noch Sie?
step-up-intro = Wir haben kurz angehalten, um nachzufragen. Ihre Arbeit ist sicher.
step-up-intro-client = Wir haben { $client } kurz angehalten, um nachzufragen. Ihre Arbeit ist sicher.
step-up-why = Warum wir fragen
step-up-calm = Das kommt vor, wenn Sie müde sind, eine andere Tastatur benutzen oder etwas in der Hand halten. Es ist kein Vorwurf.
step-up-me = Das war ich – weiter
step-up-counts = { $minutes ->
    [one] Eine Bestätigung gilt für den Rest dieser Sitzung, solange nicht wieder etwas Ungewöhnliches auffällt. Ohne Antwort binnen einer Minute endet die Sitzung von selbst.
   *[other] Eine Bestätigung gilt für den Rest dieser Sitzung, solange nicht wieder etwas Ungewöhnliches auffällt. Ohne Antwort binnen { $minutes } Minuten endet die Sitzung von selbst.
}
step-up-report-text = War jemand anders an Ihrer Tastatur?
step-up-report = Das war ich nicht – Sitzung beenden
reason-typing = Der Tipprhythmus ist anders als sonst.
reason-pointer = Der Mauszeiger bewegt sich anders als sonst.
reason-signal = Ein verbundener Dienst hat uns gebeten nachzufragen.
reason-other = Etwas an dieser Sitzung ist anders als sonst.

## Einwilligung

consent-title = Zugriff erlauben
consent = { $client } möchte auf Ihr Konto zugreifen
consent-app = Eine App
consent-as = Sie sind als { $account } angemeldet.
consent-scopes = Wenn Sie es erlauben, bekommt die App:
consent-nothing = Die App erfährt, dass Sie sich angemeldet haben, und eine Kennung für Sie. Sonst nichts.
consent-later = Sie können die App jederzeit auf Ihrer Kontoseite trennen.
scope-profile = Ihren Namen und Ihr Profil
scope-email = Ihre E-Mail-Adresse
scope-address = Ihre Postanschrift
scope-phone = Ihre Telefonnummer
scope-offline-access = Zugriff, während Sie weg sind
scope-continuous-auth = Eine Prüfung während der Benutzung, ob Sie es noch sind
scope-other = Berechtigung „{ $scope }“

## Einwilligung in die Rhythmusmessung

watch-title = Sollen wir über Ihre Sitzung wachen?
watch-intro = Jeder Mensch tippt und zeigt in seinem eigenen Rhythmus. Wenn Sie möchten, lernen wir Ihren und merken, wenn jemand anders übernimmt.
watch-what = Was gemessen wird
watch-what-text = Zeiten, während Sie Apps benutzen, die darum bitten: wie lange eine Taste gedrückt ist, die Pausen dazwischen, wie sich der Zeiger bewegt, Klicks und Scrollen.
watch-never = Was nie gemessen wird
watch-never-text = Welche Taste Sie drücken, was Sie schreiben, und alles in Feldern für Passwörter oder Codes.
watch-why = Wofür
watch-why-text = Nur um zu erkennen, ob Sie es noch sind, und sonst nachzufragen oder die Sitzung zu beenden. Um zu wissen, was allen gemeinsam ist, wird Gelerntes von vielen zusammengelegt; niemand ist daran zu erkennen. Nie um Ihre Arbeit zu bewerten, nie für Werbung.
watch-kept = Wie lange es bleibt
watch-kept-text = { $days ->
    [one] Messungen werden verschlüsselt höchstens einen Tag aufbewahrt, bis aus ihnen gelernt ist, und dann gelöscht. Gelerntes bleibt verschlüsselt, bis Sie widerrufen oder löschen oder sich { $unused } Tage nicht angemeldet haben.
   *[other] Messungen werden verschlüsselt höchstens { $days } Tage aufbewahrt, bis aus ihnen gelernt ist, und dann gelöscht. Gelerntes bleibt verschlüsselt, bis Sie widerrufen oder löschen oder sich { $unused } Tage nicht angemeldet haben.
}
watch-withdraw = Sie können jederzeit widerrufen
watch-withdraw-text = Auf Ihrer Kontoseite. Die Messung endet, und alles Gespeicherte wird sofort gelöscht.
watch-without = Ohne Messung
watch-without-text = { $minutes ->
    [one] Alles geht genauso. Wo eine App diesen Schutz will, bestätigen Sie jede Minute, dass Sie es sind.
   *[other] Alles geht genauso. Wo eine App diesen Schutz will, bestätigen Sie alle { $minutes } Minuten, dass Sie es sind.
}
watch-tick = Ja, messen Sie den Rhythmus meines Tippens und Zeigens, um meine Sitzungen zu schützen.
watch-unticked = Lassen Sie das Kästchen leer, um ohne weiterzumachen. Einschalten können Sie es später auf Ihrer Kontoseite.
watch-unticked-account = Lassen Sie das Kästchen leer, wird nichts eingeschaltet.
watch-version = Text von { $version }.

## Bestätigung

approval-sent = Schauen Sie in Ihr Postfach
approval-sent-text = Wir haben Ihnen einen Link gemailt. Öffnen Sie ihn und sagen Sie, dass Sie es waren; dann vertrauen wir dieser Adresse.
approval-sent-code = Lassen Sie diese Seite offen. Wenn Sie den Link in einem anderen Browser oder am Telefon öffnen, wird nach diesem Code gefragt.
approval-code = Code
approval-elsewhere = Sie haben den Link in einem anderen Browser geöffnet. Für „Das war ich“ tippen Sie den Code ein, den die Seite der Anmeldung zeigt.
approval-wrong-code = { $tries ->
    [one] Das ist nicht der Code. Sie haben noch einen Versuch.
   *[other] Das ist nicht der Code. Sie haben noch { $tries } Versuche.
}
approval-done = Danke
approval-done-text = Dieser Adresse und diesem Browser vertrauen wir jetzt. Sie können die Seite schließen.
approval-disowned = Diese Sitzung ist beendet
approval-disowned-text = Danke, dass Sie es sagen. Die Adresse ist vergessen. Vielleicht kennt jemand Ihr Passwort: Beenden Sie sicherheitshalber alle Sitzungen, und wählen Sie ein neues.
approval-disowned-password = Neues Passwort wählen
approval-ended = Alle Sitzungen sind beendet
approval-ended-text = Alle sind überall abgemeldet, auch Sie. Wählen Sie ein neues Passwort, bevor Sie sich wieder anmelden.
end-all = Alle meine Sitzungen beenden

## Wiederherstellung

recovery = Passwort vergessen?
recovery-text = Sagen Sie uns, wer Sie sind, und wir mailen Ihnen einen Link, mit dem Sie ein neues wählen.
recovery-submit = Link mailen
recovery-sent = Schauen Sie in Ihr Postfach
recovery-sent-text = Wenn wir ein Konto dieses Namens kennen und es eine E-Mail-Adresse hat, ist ein Link unterwegs.
recovery-sent-fine = Nach ein paar Minuten nichts da? Schauen Sie in den Spam-Ordner, oder versuchen Sie den anderen Namen, den Sie vielleicht benutzt haben.
recovery-again = Einen anderen Namen versuchen
recovery-anew = Neuen Link verlangen
recovery-form-text = Mit dem Speichern enden alle Ihre Sitzungen.
recovery-done = Ihr neues Passwort ist gespeichert
recovery-done-text = Alle Ihre Sitzungen sind beendet. Melden Sie sich mit dem neuen Passwort an.

## Abmelden

sign-out = Abmelden
sign-out-question = Möchten Sie sich abmelden?
sign-out-text = Sie werden hier abgemeldet und in den Apps, bei denen Sie sich von hier aus angemeldet haben.
sign-out-client = { $client } möchte Sie abmelden, hier und in den Apps, bei denen Sie sich von hier aus angemeldet haben.
sign-out-stay = Nein, angemeldet bleiben
signed-out = Sie sind abgemeldet
signed-out-text = Sie können die Seite schließen.
form-post = Einen Moment
form-post-text = Es geht zurück zur App. Wenn nichts passiert, drücken Sie „Weiter“.

## Konto

account = Ihr Konto
account-open = Zu Ihrer Kontoseite
behaviour = Rhythmus
behaviour-text = Ihre Art zu tippen und zu zeigen, als Schutz, während Sie arbeiten.
behaviour-on = Schutz durch Rhythmus ist an
behaviour-measured = Ihr Rhythmus wird gemessen
behaviour-off = Schutz durch Rhythmus ist aus
behaviour-since = Seit
behaviour-turn-on = Mehr lesen und einschalten
behaviour-learning = Wir lernen Ihren Rhythmus
behaviour-enrolled = Ihr Rhythmus ist gelernt
behaviour-count = { $samples } von { $needed } Messungen gelernt.
behaviour-count-enrolled = { $samples } Messungen gelernt.
behaviour-waiting = { $waiting ->
    [0] Keine wartet.
    [one] Eine wartet.
   *[other] { $waiting } warten.
}
behaviour-held = Was gespeichert ist
behaviour-held-text = { $days ->
    [one] Was aus den oben genannten Messungen gelernt ist, verschlüsselt; es wird gelöscht, wenn Sie sich { $unused } Tage nicht angemeldet haben. Was wartet, wird nach höchstens einem Tag gelöscht.
   *[other] Was aus den oben genannten Messungen gelernt ist, verschlüsselt; es wird gelöscht, wenn Sie sich { $unused } Tage nicht angemeldet haben. Was wartet, wird nach höchstens { $days } Tagen gelöscht.
}
mode = Wenn etwas ungewöhnlich ist
mode-auth-text = Wir fragen nach und beenden die Sitzung, wenn niemand antwortet.
mode-train-text = Noch geschieht nichts: Wir lernen nur. Sie können den Schutz jetzt einschalten.
mode-later = Noch geschieht nichts: Wir lernen nur. Sobald Ihr Rhythmus gelernt ist, können Sie den Schutz einschalten.
mode-to-auth = Schützen
mode-to-train = Nur lernen
password-rhythm = Passwort-Rhythmus
password-rhythm-on = Wie Sie Ihr Passwort tippen, ist ein weiteres Zeichen, dass Sie es sind. { $samples ->
    [one] Eine Messung gelernt.
   *[other] { $samples } Messungen gelernt.
}
password-rhythm-off = Aus. Wie Sie Ihr Passwort tippen, könnte ein weiteres Zeichen sein, dass Sie es sind.
password-rhythm-turn-on = Mehr lesen und einschalten
password-rhythm-what = Zeiten, während Sie in diesem Browser auf der Anmeldeseite Ihr Passwort tippen: wie lange die erste Taste, die zweite und so weiter gehalten wird, und die Pausen dazwischen.
password-rhythm-never = Welche Tasten es sind. Codes und Passwörter, die eingefügt oder ausgefüllt werden, werden nicht gemessen.
password-rhythm-why = Nur als weiteres Zeichen bei der Anmeldung, dass Sie es sind. Ohne geht das Anmelden genauso.
password-rhythm-kept = { $days ->
    [one] Messungen werden verschlüsselt höchstens einen Tag aufbewahrt, bis aus ihnen gelernt ist, und dann gelöscht. Gelerntes liegt verschlüsselt bei Ihrem Passwort und wird gelöscht, wenn Sie es ändern.
   *[other] Messungen werden verschlüsselt höchstens { $days } Tage aufbewahrt, bis aus ihnen gelernt ist, und dann gelöscht. Gelerntes liegt verschlüsselt bei Ihrem Passwort und wird gelöscht, wenn Sie es ändern.
}
password-rhythm-tick = Ja, messen Sie auch den Rhythmus, in dem ich mein Passwort tippe.
password-rhythm-withdraw = Ausschalten
password-rhythm-withdraw-text = Hier, getrennt von der anderen Einwilligung, und mit ihr. Die Messung endet, und was davon gespeichert ist, wird sofort gelöscht.
export = Exportieren
erase = Löschen
withdraw = Einwilligung widerrufen
withdraw-text = Die Messung endet, und alles Gespeicherte wird sofort gelöscht. Das Anmelden geht wie bisher.
sessions = Sitzungen
sessions-text = Browser, in denen Sie angemeldet sind.
session-here = Dieser Browser
session-doubted = Wird geprüft
session-used = Zuletzt benutzt
session-end = Beenden
session-end-others = Alle anderen beenden
credentials = Wege zur Anmeldung
credentials-text = Womit Sie beweisen, dass Sie es sind.
credentials-none = Noch keine.
change-way = Ändern: { $way }
add-way = Hinzufügen: { $way }
held-since = Seit
held-used = Zuletzt benutzt
addresses = Bekannte Adressen
addresses-text = Wo Sie sich angemeldet haben. Nach einigen Malen fragen wir per E-Mail, ob Sie es waren; wo Sie das bestätigt haben (✓), fragen wir nach weniger.
addresses-none = Noch keine.
apps = Verbundene Apps
apps-text = Apps, denen Sie Zugriff auf Ihr Konto erlaubt haben.
apps-none = Noch keine.
disconnect = Trennen
last-factor = Ohne diesen Weg könnten Sie sich nicht anmelden. Richten Sie zuerst einen anderen ein.
mode-needs-consent = Dafür braucht es zuerst Ihre Einwilligung.
mode-needs-samples = Noch reicht es nicht, um Sie daran zu erkennen.
watch-unavailable = Hier wird nichts gemessen.
notice-proven = Danke, Sie sind es. Bitte wählen Sie noch einmal, was Sie ändern wollten; in den nächsten Minuten fragen wir nicht mehr nach.
notice-saved = Gespeichert.
notice-session-ended = Die Sitzung ist beendet.
notice-others-ended = Alle anderen Sitzungen sind beendet.
notice-disconnected = Die App ist getrennt.
notice-forgotten = Entfernt.
notice-mode = Der Modus ist geändert.
notice-consented = Danke. Ab jetzt lernen wir Ihren Rhythmus.
notice-withdrawn = Einwilligung widerrufen. Alles Gespeicherte ist gelöscht.
notice-password-consented = Danke. Ab jetzt lernen wir den Rhythmus Ihres Passworts, wo Sie es in diesem Browser tippen.
notice-password-withdrawn = Ausgeschaltet. Alles, was über den Rhythmus Ihres Passworts gespeichert war, ist gelöscht.
notice-erased = Alles, was über Ihren Rhythmus gespeichert war, ist gelöscht.

## Fehler

error-code = Code
error-request = Anfrage
error-gone-title = Diese Seite ist abgelaufen
error-gone = Sie wurde schon benutzt, ist abgelaufen oder wurde in einem anderen Browser begonnen. Bitte gehen Sie zurück zur App und fangen Sie neu an.
error-recovery-gone-title = Dieser Link gilt nicht mehr
error-recovery-gone = Er wurde schon benutzt oder ist abgelaufen. Wir können Ihnen einen neuen mailen.
error-out-of-date-title = Diese Seite war veraltet
error-out-of-date = Vielleicht haben Sie sie zweimal offen. Es wurde nichts geändert. Gehen Sie zurück, laden Sie die Seite neu und versuchen Sie es noch einmal.
error-foreign-title = Das kam von einer anderen Seite
error-foreign = Zu Ihrer Sicherheit nehmen wir Antworten nur von unseren eigenen Seiten an. Es wurde nichts geändert.
error-bad-title = Das haben wir nicht verstanden
error-bad = Die Anfrage war fehlerhaft. Gehen Sie zurück und versuchen Sie es noch einmal.
error-app-title = Die App hat einen Fehler gemacht
error-app = Sie hat Sie mit einer Anfrage hergeschickt, die wir nicht annehmen können. Sie haben nichts falsch gemacht; bitte sagen Sie es den Machern der App.
error-not-found-title = Hier ist nichts
error-not-found = Vielleicht ist die Adresse vertippt, oder die Seite ist umgezogen.
error-method-title = Das geht hier nicht
error-method = Diese Adresse kann so nicht benutzt werden.
error-too-large-title = Das war zu viel
error-too-large = Die Anfrage war größer, als wir annehmen.
error-too-many-title = Bitte etwas langsamer
error-too-many = Es waren zu viele Versuche in kurzer Zeit. Warten Sie eine Weile und versuchen Sie es noch einmal.
error-away-title = Wir sind gleich wieder da
error-away = Ein Teil des Dienstes ist gerade nicht erreichbar. Bitte versuchen Sie es bald noch einmal.
error-internal-title = Etwas ist schiefgegangen
error-internal = Es liegt an uns, nicht an Ihnen. Wenn es wieder passiert, nennen Sie uns die Anfrage unten.

## Abgefangene E-Mails (Entwicklung)

mails = Abgefangene E-Mails
mails-text = In der Entwicklung verlässt keine E-Mail diesen Rechner. Sie landen hier.
mails-to = Nur die an { $address }.
mails-none = Noch keine E-Mail.

## Worte des Ablaufs

sign-in-title = Anmelden
sign-in-continue = Weiter
sign-in-failed = Das hat nicht geklappt. Prüfen Sie, was Sie getippt haben, und versuchen Sie es noch einmal.
step-error = Das kann gerade nicht geprüft werden. Bitte versuchen Sie es noch einmal, oder wählen Sie einen anderen Weg.
too-many-tries = Zu viele Versuche. Bitte warten Sie eine Viertelstunde, und versuchen Sie es dann noch einmal.
too-many-mails = Es wurden zu viele E-Mails geschickt. Bitte warten Sie eine Viertelstunde, und versuchen Sie es dann noch einmal.
mail-delayed = Die E-Mail konnte bisher nicht geschickt werden; wir versuchen es weiter. Kommt sie nicht, versuchen Sie es noch einmal, oder wählen Sie einen anderen Weg.
mail-refused = Die E-Mail konnte nicht geschickt werden: Der Mailserver Ihrer Adresse nimmt sie nicht an. Versuchen Sie es noch einmal, oder wählen Sie einen anderen Weg.
mail-unavailable = Gerade kann keine E-Mail geschickt werden. Bitte versuchen Sie es noch einmal, oder wählen Sie einen anderen Weg.
way-unavailable = Dieser Weg steht nicht offen. Bitte wählen Sie einen anderen.
try-again = Noch einmal versuchen
no-way-title = Wir können nicht bestätigen, dass Sie es sind
no-way-text = Keiner der Wege dafür ist für Ihr Konto eingerichtet, oder gerade geht keiner.

## Worte der eingebauten Faktoren

password-name = Passwort
password-title = Geben Sie Ihr Passwort ein
password-field = Passwort
password-submit = Weiter
password-wrong = Das passte nicht. Prüfen Sie, was Sie getippt haben, und versuchen Sie es noch einmal.
password-new-title = Wählen Sie ein neues Passwort
password-new-hint = Mindestens { $min } Zeichen. Ein paar Wörter, die nicht zusammengehören, merkt man sich leicht und errät man schwer.
password-new-field = Neues Passwort
password-new-submit = Passwort speichern
password-too-long = Das ist zu lang: höchstens { $max } Bytes.
password-too-short = Das ist zu kurz: mindestens { $min } Zeichen.
password-too-common = Viele benutzen dieses, deshalb wird es zuerst geraten. Wählen Sie ein anderes.
password-contains-name = Darin steht Ihr Name oder Ihre Adresse, deshalb ist es leicht zu erraten. Wählen Sie ein anderes.
password-mostly-names = Außer Ihrem Namen, Ihrer Adresse und dem Namen dieser Seite bleibt zu wenig übrig. Nehmen Sie mindestens { $min } weitere Zeichen, die schwer zu erraten sind.

otp-name = Ein Code per E-Mail
otp-title = Schauen Sie in Ihr Postfach
otp-intro = { $minutes ->
    [one] Der Code { $label } wurde an { $address } geschickt. Er gilt eine Minute, nur in diesem Browser.
   *[other] Der Code { $label } wurde an { $address } geschickt. Er gilt { $minutes } Minuten, nur in diesem Browser.
}
otp-field = Code { $label }, sechs Ziffern
otp-resend = Neuen Code schicken
otp-sent-again = Ein neuer Code ist unterwegs. Der vorige gilt nicht mehr.
otp-submit = Weiter
otp-wrong = Das ist nicht der Code. Ist es der aus der E-Mail, die { $label } nennt?
otp-spent = Dieser Code gilt nicht mehr. Lassen Sie sich einen neuen schicken.
otp-wait = { $seconds ->
    [one] Eben wurde ein Code geschickt. In einer Sekunde können Sie einen neuen verlangen.
   *[other] Eben wurde ein Code geschickt. In { $seconds } Sekunden können Sie einen neuen verlangen.
}
otp-elsewhere = Ein Code per E-Mail geht hierfür nicht.

ip-trust-name = Eine vertraute Adresse
ip-approval-title = Waren Sie das?
ip-approval-intro = Jemand hat sich bei Ihrem Konto angemeldet, von der Adresse und mit dem Browser unten.
ip-approval-yes-means = Wenn Sie es waren, können wir dieser Adresse und diesem Browser vertrauen und Sie dort nach weniger fragen.
ip-approval-no-means = Wenn Sie es nicht waren, endet diese Sitzung sofort, und die Adresse wird vergessen.
ip-approval-yes = Das war ich
ip-approval-no = Das war ich nicht
ip-approval-choose = Bitte sagen Sie, ob Sie es waren.
ip-approval-denied = Danke, dass Sie es sagen. Dieser Adresse vertrauen wir nicht.
ip-approval-impossible = Diese Adresse teilen sich viele Menschen, deshalb können wir ihr nicht vertrauen.
ip-approval-gone = Hier ist nichts zu beantworten.

behavior-label = Tipp- und Zeigerhythmus

## E-Mails

mail-sign-off = { $title } · Diese E-Mail kommt, weil in Ihrem Konto etwas geschehen ist. Antworten liest niemand.
mail-otp-subject = Ihr Code { $label }
mail-otp-title = Ihr Code { $label }
mail-otp-for = Um sich bei { $client } anzumelden, tippen Sie diesen Code in die Seite, die { $label } zeigt:
mail-otp-own = Um sich anzumelden, tippen Sie diesen Code in die Seite, die { $label } zeigt:
mail-otp-counts = { $minutes ->
    [one] Er gilt eine Minute, einmal, und nur in dem Browser, der ihn verlangt hat.
   *[other] Er gilt { $minutes } Minuten, einmal, und nur in dem Browser, der ihn verlangt hat.
}
mail-otp-not-you = Sie haben ihn nicht verlangt? Dann kennt vielleicht jemand Ihr Passwort. Sagen Sie niemandem den Code, und ändern Sie Ihr Passwort. Wir fragen nie am Telefon oder im Chat nach einem Code.
mail-ip-approval-subject = Waren Sie das?
mail-ip-approval-title = Waren Sie das?
mail-ip-approval-text = Jemand hat sich bei Ihrem Konto angemeldet:
mail-ip-approval-link = Ansehen und antworten
mail-ip-approval-what = Auf der Seite können Sie sagen „Das war ich“, dann fragen wir dort künftig nach weniger, oder „Das war ich nicht“, dann beenden wir diese Sitzung. Das Öffnen allein ändert nichts.
mail-link-counts = { $minutes ->
    [one] Der Link gilt eine Minute, einmal.
   *[other] Der Link gilt { $minutes } Minuten, einmal.
}
mail-recovery-subject = Wählen Sie ein neues Passwort
mail-recovery-title = Wählen Sie ein neues Passwort
mail-recovery-link = Neues Passwort wählen
mail-recovery-not-you = Sie haben es nicht verlangt? Dann tun Sie nichts: Ihr Passwort bleibt, wie es ist.
mail-password-changed-subject = Ihr Passwort wurde geändert
mail-password-changed-title = Ihr Passwort wurde geändert
mail-credential-changed-title = Ein Weg zur Anmeldung wurde geändert
mail-ip-approval-text-client = Jemand hat sich für { $client } bei Ihrem Konto angemeldet:
mail-recovery-text = Jemand, hoffentlich Sie, hat ein neues Passwort für das Konto { $account } verlangt.
mail-password-changed-text = Das Passwort des Kontos { $account } wurde geändert. Alle seine Sitzungen sind beendet.
mail-password-changed-not-you = Sie waren es nicht? Dann wählen Sie sofort ein neues Passwort:
credential-kind = { $plugin ->
    [password] Passwort
    [email-otp] Ein Code per E-Mail
    [ip-trust] Eine vertraute Adresse
   *[other] { $kind }
}
mail-credential-changed-subject = Ein Weg zur Anmeldung wurde geändert
mail-credential-changed-text = { $change ->
    [create] „{ $what }“ wurde zum Konto { $account } hinzugefügt.
    [delete] „{ $what }“ wurde aus dem Konto { $account } entfernt.
   *[update] „{ $what }“ wurde im Konto { $account } geändert.
}
mail-credential-changed-not-you = Sie waren es nicht? Dann sehen Sie sofort auf Ihre Kontoseite, beenden Sie alle anderen Sitzungen, und wählen Sie ein neues Passwort:
mail-credential-changed-link = Kontoseite öffnen
