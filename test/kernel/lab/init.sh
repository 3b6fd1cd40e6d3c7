#!/bin/bash
# The first process inside the user-mode kernel. The kernel hands OUT and HERE over as environment; $OUT/job is what to run.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys

# The host's files are seen as they are, but /run and /var/log are the guest's own: pid files, namespaces, logs.
# A checkout below /run would vanish under that, so it is kept by a second way and put back.
mkdir -p /dev/shm /dev/pts /dev/checkout
mount --bind "$(cat "$OUT/cwd")" /dev/checkout
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mount -t tmpfs shm /dev/shm
mount -t devpts devpts /dev/pts
ln -s /proc/self/fd /dev/fd
mkdir -p /run/netns /run/lock /run/uml/lib /run/work
if [ ! -d "$(cat "$OUT/cwd")" ]; then
  mkdir -p "$(cat "$OUT/cwd")"
  mount --bind /dev/checkout "$(cat "$OUT/cwd")"
fi

# Modules: one wrapper serves modprobe by hand, ipvsadm's own modprobe, and the kernel's autoload.
ln -s /usr/lib/uml/modules /run/uml/lib/modules
printf '#!/bin/sh\nexec /sbin/modprobe -d /run/uml "$@"\n' >/run/uml/modprobe
chmod +x /run/uml/modprobe
echo /run/uml/modprobe >/proc/sys/kernel/modprobe
export MODPROBE_OPTIONS="-d /run/uml"

/run/uml/modprobe ipv6
ip link set lo up
echo lab >/proc/sys/kernel/hostname
# inotify works on a tmpfs only: whoever makes a temporary file gets one.
export TMPDIR=/run/work
setsid bash "$OUT/job" >>"$OUT/stdout" 2>>"$OUT/stderr" </dev/null
echo $? >"$OUT/rc"
poweroff -f
