#!/bin/sh
# Makes every secret that is missing in /run/secrets, once; each is readable by the one user that needs it.
set -eu
umask 077
cd /run/secrets

# Sets a file's content (from standard input) and its owner, if it isn't there yet.
make() {
    [ -s "$1" ] && { cat >/dev/null; return; }
    cat >"$1.new"
    chown "$2" "$1.new"
    mv "$1.new" "$1"
    echo "made $1"
}
random() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

gait=65532:65532 postgres=70:70 redis=999:1000
head -c 32 /dev/urandom | base64 | make master-key $gait
random | make postgres-password $postgres
printf 'postgres://gait:%s@postgres:5432/gait' "$(cat postgres-password)" | make database-url $gait
password=$([ -s redis.conf ] && sed -n 's/^requirepass //p' redis.conf || random)
printf 'requirepass %s\n' "$password" | make redis.conf $redis
printf 'redis://:%s@redis:6379/' "$password" | make redis-url $gait
for name in app-client-secret api-client-secret signal-secret; do
    random | make $name $gait
done
chmod 755 .
