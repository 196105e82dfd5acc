# English: whole, and what every other language falls back on.

language-name = English
languages = Language
title-error = Error:
skip = Skip to content
date-time = { $day } { $month } { $year }, { $time } UTC
month = { $number ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}

## Buttons and words that return

allow = Allow
cancel = Cancel
continue = Continue
deny = Deny
save = Save
remove = Remove
show = Show
hide = Hide
another-way = Or another way
wait = available in { $seconds } s
when = When
where = Where
with-what = With
device = { $browser } on { $system }
device-unknown = Unknown browser
address-unknown = Unknown address

## Sign-in

sign-in = Sign in
sign-in-for = to continue to { $client }
sign-in-own = to your account
sign-in-submit = Sign in
sign-in-again = Sign in again
identifier = User name or e-mail
forgot = Forgot your password?
again = Please confirm that it is you before you go on.
again-client = { $client } asks you to confirm that it is you.
select = Choose an account
select-continue = Continue as { $account }
select-other = Use another account

## Step-up

step-up = Is it still you?
step-up-intro = We paused here for a short check. Your work is safe.
step-up-intro-client = We paused { $client } for a short check. Your work is safe.
step-up-why = Why we ask
step-up-calm = This can happen when you are tired, use another keyboard or have something in your hand. It isn’t an accusation.
step-up-me = This was me – continue
step-up-counts = { $minutes ->
    [one] One confirmation counts for the rest of this session, unless something unusual is noticed again. Without an answer within a minute, the session ends by itself.
   *[other] One confirmation counts for the rest of this session, unless something unusual is noticed again. Without an answer within { $minutes } minutes, the session ends by itself.
}
step-up-report-text = Somebody else was at your keyboard?
step-up-report = It wasn’t me – end this session
reason-typing = The typing rhythm is different from usual.
reason-pointer = The pointer moves differently from usual.
reason-signal = A connected service asked us to check.
reason-other = Something about this session is different from usual.

## Consent

consent-title = Allow access
consent = { $client } wants to access your account
consent-app = An app
consent-as = You are signed in as { $account }.
consent-scopes = If you allow it, the app gets:
consent-nothing = The app learns that you have signed in, and an identifier for you. Nothing else.
consent-later = You can disconnect the app at any time on your account page.
scope-profile = Your name and basic profile
scope-email = Your e-mail address
scope-address = Your postal address
scope-phone = Your phone number
scope-offline-access = Access while you are away
scope-continuous-auth = A check, while you use the app, that it is still you
scope-other = Permission “{ $scope }”

## Behaviour consent

watch-title = Shall we watch over your session?
watch-intro = Everyone types and points in a rhythm of their own. If you like, we learn yours and notice when somebody else takes over.
watch-what = What is measured
watch-what-text = Timings, while you use apps that ask for this: how long a key is held, the pauses between keys, how the pointer moves, clicks and scrolling.
watch-never = What is never measured
watch-never-text = Which key you press, what you write, and anything in fields for passwords or codes.
watch-why = What for
watch-why-text = Only to tell whether it is still you, and to ask or end the session if it isn’t. To know what is common to all, what was learned from many people is put together; nobody can be recognised by that. Never to rate your work, never for advertising.
watch-kept = How long it is kept
watch-kept-text = { $days ->
    [one] Measurements are kept encrypted for at most a day, until they are learned, and then deleted. What was learned from them is kept encrypted until you withdraw or erase, or haven’t signed in for { $unused } days.
   *[other] Measurements are kept encrypted for at most { $days } days, until they are learned, and then deleted. What was learned from them is kept encrypted until you withdraw or erase, or haven’t signed in for { $unused } days.
}
watch-withdraw = You can withdraw at any time
watch-withdraw-text = On your account page. Measuring stops and everything held is erased at once.
watch-without = Without it
watch-without-text = { $minutes ->
    [one] Everything works just the same. Where an app wants this protection, you confirm every minute that it is you.
   *[other] Everything works just the same. Where an app wants this protection, you confirm every { $minutes } minutes that it is you.
}
watch-tick = Yes, measure the rhythm of my typing and pointing to protect my sessions.
watch-unticked = Leave the box empty to go on without it. You can turn it on later, on your account page.
watch-unticked-account = Leave the box empty, and nothing is turned on.
watch-version = Text of { $version }.

## Approval

approval-sent = Check your mail
approval-sent-text = We mailed you a link. Open it and say that it was you, and this address is trusted from then on.
approval-sent-code = Keep this page open. If you open the link in another browser or on your phone, it asks for this code.
approval-code = Code
approval-elsewhere = You opened this link in another browser. For “It was me”, type the code that the sign-in’s page shows.
approval-wrong-code = { $tries ->
    [one] That isn’t the code. You have one more try.
   *[other] That isn’t the code. You have { $tries } more tries.
}
approval-done = Thank you
approval-done-text = This address and browser are trusted now. You can close this page.
approval-disowned = That session has ended
approval-disowned-text = Thank you for telling us. The address is forgotten. Somebody may know your password: end all your sessions to be safe, and choose a new one.
approval-disowned-password = Choose a new password
approval-ended = All sessions have ended
approval-ended-text = Everybody is signed out everywhere, you too. Choose a new password before you sign in again.
end-all = End all my sessions

## Recovery

recovery = Forgot your password?
recovery-text = Tell us who you are, and we mail you a link to choose a new one.
recovery-submit = Mail me a link
recovery-sent = Check your mail
recovery-sent-text = If we know an account by that name and it has an e-mail address, a link is on its way.
recovery-sent-fine = Nothing there after a few minutes? Look in the spam folder, or try the other name that you may have used.
recovery-again = Try another name
recovery-anew = Ask for a new link
recovery-form-text = Saving it ends all your sessions.
recovery-done = Your new password is saved
recovery-done-text = All your sessions have ended. Sign in with the new password.

## Sign-out

sign-out = Sign out
sign-out-question = Do you want to sign out?
sign-out-text = You will be signed out here and in the apps that you signed in to from here.
sign-out-client = { $client } asks to sign you out, here and in the apps that you signed in to from here.
sign-out-stay = No, stay signed in
signed-out = You are signed out
signed-out-text = You can close this page.
form-post = One moment
form-post-text = You are being sent back to the app. If nothing happens, press Continue.

## Account

account = Your account
account-open = Open your account page
behaviour = Rhythm
behaviour-text = Your way of typing and pointing, as a protection while you work.
behaviour-on = Protection by rhythm is on
behaviour-measured = Your rhythm is measured
behaviour-off = Protection by rhythm is off
behaviour-since = Since
behaviour-turn-on = Read more and turn on
behaviour-learning = Learning your rhythm
behaviour-enrolled = Your rhythm is learned
behaviour-count = { $samples } of { $needed } samples learned.
behaviour-count-enrolled = { $samples } samples learned.
behaviour-waiting = { $waiting ->
    [0] None waiting.
   *[other] { $waiting } waiting.
}
behaviour-held = What is held
behaviour-held-text = { $days ->
    [one] What was learned from the samples named above, encrypted; it is deleted when you haven’t signed in for { $unused } days. What waits is deleted after a day at most.
   *[other] What was learned from the samples named above, encrypted; it is deleted when you haven’t signed in for { $unused } days. What waits is deleted after { $days } days at most.
}
mode = When something is unusual
mode-auth-text = We ask, and end the session if nobody answers.
mode-train-text = Nothing happens yet: we only learn. You can switch the protection on now.
mode-later = Nothing happens yet: we only learn. You can switch the protection on as soon as your rhythm is learned.
mode-to-auth = Protect me
mode-to-train = Only learn
password-rhythm = Password rhythm
password-rhythm-on = How you type your password is a further sign that it is you. { $samples ->
    [one] One sample learned.
   *[other] { $samples } samples learned.
}
password-rhythm-off = Off. How you type your password could be a further sign that it is you.
password-rhythm-turn-on = Read more and turn on
password-rhythm-what = Timings, while you type your password on the sign-in page in this browser: how long the first key, the second and so on are held, and the pauses between them.
password-rhythm-never = Which keys they are. Codes, and passwords that are filled in or pasted, are not measured.
password-rhythm-why = Only as a further sign at the sign-in that it is you. Without it, signing in works just the same.
password-rhythm-kept = { $days ->
    [one] Measurements are kept encrypted for at most a day, until they are learned, and then deleted. What was learned from them is kept encrypted with your password, and erased when you change it.
   *[other] Measurements are kept encrypted for at most { $days } days, until they are learned, and then deleted. What was learned from them is kept encrypted with your password, and erased when you change it.
}
password-rhythm-tick = Yes, measure the rhythm in which I type my password too.
password-rhythm-withdraw = Turn off
password-rhythm-withdraw-text = Here, apart from the other consent, and with it. Measuring stops and what is held of it is erased at once.
export = Export
erase = Erase
withdraw = Withdraw consent
withdraw-text = Measuring stops and everything held is erased at once. Signing in works as before.
sessions = Sessions
sessions-text = Browsers in which you are signed in.
session-here = This browser
session-doubted = Being checked
session-used = Last used
session-end = End
session-end-others = End all others
credentials = Ways to sign in
credentials-text = What you prove with that it is you.
credentials-none = None yet.
change-way = Change: { $way }
add-way = Add: { $way }
held-since = Since
held-used = Last used
addresses = Known addresses
addresses-text = Where you signed in. After a few times, we ask you by mail whether it was you; where you said so (✓), we ask for less.
addresses-none = None yet.
apps = Connected apps
apps-text = Apps that you allowed to access your account.
apps-none = None yet.
disconnect = Disconnect
last-factor = You could not sign in without this way. Set up another one first.
mode-needs-consent = This takes your consent first.
mode-needs-samples = There isn’t enough yet to know you by.
watch-unavailable = Nothing is watched here.
notice-proven = Thank you, it’s you. Please choose again what you wanted to change; for the next few minutes we won’t ask.
notice-saved = Saved.
notice-session-ended = The session has ended.
notice-others-ended = All other sessions have ended.
notice-disconnected = The app is disconnected.
notice-forgotten = Removed.
notice-mode = The mode is changed.
notice-consented = Thank you. From now on, we learn your rhythm.
notice-withdrawn = Consent withdrawn. Everything held is erased.
notice-password-consented = Thank you. From now on, we learn the rhythm of your password, where you type it in this browser.
notice-password-withdrawn = Turned off. Everything held about the rhythm of your password is erased.
notice-erased = Everything held about your rhythm is erased.

## Errors

error-code = Code
error-request = Request
error-gone-title = This page has ended
error-gone = It was used already, has expired, or was begun in another browser. Please go back to the app and start again.
error-recovery-gone-title = This link has ended
error-recovery-gone = It was used already, or has expired. We can mail you another.
error-out-of-date-title = This page was out of date
error-out-of-date = You may have it open twice. Nothing was changed. Go back, reload the page and try again.
error-foreign-title = This came from another site
error-foreign = For your safety, we take answers only from our own pages. Nothing was changed.
error-bad-title = We didn’t understand that
error-bad = The request was malformed. Go back and try again.
error-app-title = The app made a mistake
error-app = It sent you here with a request that we can’t accept. You did nothing wrong; please tell the app’s makers.
error-not-found-title = There is nothing here
error-not-found = The address may be mistyped, or the page has moved.
error-method-title = That isn’t possible here
error-method = This address can’t be used in that way.
error-too-large-title = That was too much
error-too-large = The request was larger than we accept.
error-too-many-title = A little slower, please
error-too-many = There were too many tries in a short time. Wait a while and try again.
error-away-title = We’ll be right back
error-away = A part of the service is away for the moment. Please try again soon.
error-internal-title = Something went wrong
error-internal = It is our fault, not yours. If it happens again, tell us the request below.

## Caught mails (development)

mails = Caught mails
mails-text = In development, no mail leaves this machine. It lands here.
mails-to = Only those to { $address }.
mails-none = No mail yet.

## Words of the flow engine

sign-in-title = Sign in
sign-in-continue = Continue
sign-in-failed = That didn’t work. Check what you typed and try again.
step-error = This can’t be checked right now. Please try again, or choose another way.
too-many-tries = Too many tries. Please wait a quarter of an hour, then try again.
too-many-mails = Too many mails were sent. Please wait a quarter of an hour, then try again.
mail-delayed = We couldn’t send the mail so far, and keep trying. If it doesn’t come, try again or choose another way.
mail-refused = We couldn’t send the mail: the mail server of your address doesn’t take it. Try again, or choose another way.
mail-unavailable = Mail can’t be sent right now. Please try again, or choose another way.
way-unavailable = This way isn’t available. Please choose another one.
try-again = Try again
no-way-title = We can’t confirm that it’s you
no-way-text = None of the ways to confirm this is set up for your account, or none works right now.

## Words of the built-in factors

password-name = Password
password-title = Enter your password
password-field = Password
password-submit = Continue
password-wrong = That didn’t match. Check what you typed and try again.
password-new-title = Choose a new password
password-new-hint = At least { $min } characters. A few words that don’t belong together are easy to remember and hard to guess.
password-new-field = New password
password-new-submit = Save password
password-too-long = That’s too long: use at most { $max } bytes.
password-too-short = That’s too short: use at least { $min } characters.
password-too-common = Many people use this one, so it’s guessed first. Choose another.
password-contains-name = This contains your name or address, so it’s easy to guess. Choose another.
password-mostly-names = Apart from your name, your address and this site’s name, too little is left. Use at least { $min } further characters that are hard to guess.

otp-name = A code by e-mail
otp-title = Check your mail
otp-intro = { $minutes ->
    [one] Code { $label } was sent to { $address }. It is valid for a minute, in this browser only.
   *[other] Code { $label } was sent to { $address }. It is valid for { $minutes } minutes, in this browser only.
}
otp-field = Code { $label }, six digits
otp-resend = Send a new code
otp-sent-again = A new code is on its way. The one before can’t be used any more.
otp-submit = Continue
otp-wrong = That isn’t the code. Is it the one from the mail that names { $label }?
otp-spent = This code can’t be used any more. Ask for a new one.
otp-wait = { $seconds ->
    [one] A code was sent just now. You can ask for another one in a second.
   *[other] A code was sent just now. You can ask for another one in { $seconds } seconds.
}
otp-elsewhere = A code by e-mail can’t be used for this.

ip-trust-name = A trusted address
ip-approval-title = Was this you?
ip-approval-intro = Somebody signed in to your account from the address and browser below.
ip-approval-yes-means = If it was you, we can trust this address and browser, and ask you for less when you sign in there.
ip-approval-no-means = If it wasn’t you, that session ends at once and the address is forgotten.
ip-approval-yes = It was me
ip-approval-no = Not me
ip-approval-choose = Please say whether it was you.
ip-approval-denied = Thank you for telling us. This address is not trusted.
ip-approval-impossible = This address is shared by many people, so it can’t be trusted.
ip-approval-gone = There is nothing to answer here.

behavior-label = Typing and pointing rhythm

## Mails

mail-sign-off = { $title } · This mail was sent because of something that happened in your account. Nobody reads replies to it.
mail-otp-subject = Your code { $label }
mail-otp-title = Your code { $label }
mail-otp-for = To sign in to { $client }, type this code into the page that shows { $label }:
mail-otp-own = To sign in, type this code into the page that shows { $label }:
mail-otp-counts = { $minutes ->
    [one] It is valid for a minute, once, and only in the browser that asked for it.
   *[other] It is valid for { $minutes } minutes, once, and only in the browser that asked for it.
}
mail-otp-not-you = You didn’t ask for it? Then somebody may know your password. Tell nobody the code, and change your password. We never ask you for a code on the phone or in a chat.
mail-ip-approval-subject = Was this you?
mail-ip-approval-title = Was this you?
mail-ip-approval-text = Somebody signed in to your account:
mail-ip-approval-link = Look and answer
mail-ip-approval-what = On the page you can say “It was me”, and we’ll ask for less there in the future, or “Not me”, and we end that session. Opening it changes nothing.
mail-link-counts = { $minutes ->
    [one] The link is valid for a minute, once.
   *[other] The link is valid for { $minutes } minutes, once.
}
mail-recovery-subject = Choose a new password
mail-recovery-title = Choose a new password
mail-recovery-link = Choose a new password
mail-recovery-not-you = You didn’t ask for it? Then do nothing: your password stays as it is.
mail-password-changed-subject = Your password was changed
mail-password-changed-title = Your password was changed
mail-credential-changed-title = A way to sign in was changed
mail-ip-approval-text-client = Somebody signed in to your account, for { $client }:
mail-recovery-text = Somebody, hopefully you, asked for a new password for the account { $account }.
mail-password-changed-text = The password of the account { $account } was changed. All its sessions have ended.
mail-password-changed-not-you = It wasn’t you? Then choose a new password at once:
credential-kind = { $plugin ->
    [password] Password
    [email-otp] A code by e-mail
    [ip-trust] A trusted address
   *[other] { $kind }
}
mail-credential-changed-subject = A way to sign in was changed
mail-credential-changed-text = { $change ->
    [create] “{ $what }” was added to the account { $account }.
    [delete] “{ $what }” was removed from the account { $account }.
   *[update] “{ $what }” was changed in the account { $account }.
}
mail-credential-changed-not-you = It wasn’t you? Then look at your account page at once, end all other sessions and choose a new password:
mail-credential-changed-link = Open the account page
