#!/bin/sh
# Brings what the tests need from Debian; npm runs it before `npm test`.
# Root: installs what is missing. Anyone else: is told the command, and the tests that need it are skipped.
set -u

# The one list: package, and a file by which its presence is seen.
needed() {
  cat <<'LIST'
user-mode-linux      /usr/bin/linux.uml
kmod                 /sbin/modprobe
ipvsadm              /sbin/ipvsadm
iproute2             /sbin/ip
iptables             /usr/sbin/iptables-legacy
nginx                /usr/sbin/nginx
mariadb-server-core  /usr/sbin/mariadbd
mariadb-client-core  /usr/bin/mariadb
iputils-ping         /bin/ping
openssl              /usr/bin/openssl
proftpd-core         /usr/sbin/proftpd
dovecot-imapd        /usr/lib/dovecot/imap-login
dovecot-pop3d        /usr/lib/dovecot/pop3-login
exim4-daemon-light   /usr/sbin/exim4
postgresql-15        /usr/lib/postgresql/15/bin/postgres
slapd                /usr/sbin/slapd
dnsmasq-base         /usr/sbin/dnsmasq
unbound              /usr/sbin/unbound
freeradius           /usr/sbin/freeradius
kamailio             /usr/sbin/kamailio
squid                /usr/sbin/squid
tinyproxy            /usr/bin/tinyproxy
ldirectord           /usr/sbin/ldirectord
libdbd-mysql-perl    /usr/share/doc/libdbd-mysql-perl/copyright
libdbd-pg-perl       /usr/share/doc/libdbd-pg-perl/copyright
perl                 /usr/bin/pod2text
bsdutils             /usr/bin/logger
procps               /bin/ps
rsyslog              /usr/sbin/rsyslogd
systemd              /usr/bin/systemd-notify
resource-agents      /usr/sbin/ocf-tester
libxml2-utils        /usr/bin/xmllint
lintian              /usr/bin/lintian
mandoc               /usr/bin/mandoc
man-db               /usr/bin/man
logrotate            /usr/sbin/logrotate
binutils             /usr/bin/strip
LIST
}

missing() {
  needed | while read -r package file; do
    [ -e "$file" ] || printf '%s ' "$package"
  done
}

packages=$(missing)
[ -n "$packages" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "tests: missing ${packages% }; sudo apt-get update && sudo apt-get install --no-install-recommends ${packages% }" >&2
  exit 0
fi

echo "tests: installing ${packages% }"
log=$(mktemp)
policy=/usr/sbin/policy-rc.d
made_policy=no
cleanup() {
  rm -f "$log"
  [ "$made_policy" = no ] || rm -f "$policy"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Debian starts a service while it installs its package; a machine that runs tests wants none of them.
if [ ! -e "$policy" ]; then
  made_policy=yes
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words
if ! { apt-get update && apt-get install -y --no-install-recommends $packages; } </dev/null >"$log" 2>&1; then
  cat "$log" >&2
fi

packages=$(missing)
[ -z "$packages" ] || echo "tests: still missing ${packages% }; the tests that need them are skipped" >&2
exit 0
