# Second wall without bubblewrap: gives the process a root of its own, then drops every capability.
# Runs inside new user, mount, network, process and IPC namespaces. Arguments: bundle, program of Node, the program
# that installs the system call filter or "-", more programs to show (or ""), MiB of a folder that may be written (or 0),
# how many folders are to be seen read-only, each of them and where, then what to run.
set -eu
bundle=$1
node=$2
filter=$3
more=$4
scratch=$5
folders=$6
shift 6
root=$bundle/root
mount -t tmpfs -o mode=755,size=1m tmpfs "$root"
cd "$root"
mkdir usr usr/bin usr/lib usr/lib64 bundle node dev proc old
# Libraries, and of all programs the few that the rest of this file needs.
for name in lib lib64; do
  [ -d "/usr/$name" ] || continue
  mount --bind "/usr/$name" "usr/$name"
  mount -o remount,bind,ro,nosuid,nodev "usr/$name"
done
for name in mount umount rmdir setpriv env $more; do
  program=$(command -v "$name")
  : > "usr/bin/${name##*/}"
  mount --bind "$program" "usr/bin/${name##*/}"
  mount -o remount,bind,ro,nosuid,nodev "usr/bin/${name##*/}"
done
for name in bin sbin lib lib64; do
  if [ -L "/$name" ]; then ln -s "$(readlink "/$name")" "$name"; fi
done
mount --bind "$bundle" bundle
mount -o remount,bind,ro,nosuid,nodev bundle
: > node/node
mount --bind "$node" node/node
mount -o remount,bind,ro,nosuid,nodev node/node
while [ "$folders" -gt 0 ]; do
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
  mount -o remount,bind,ro,nosuid,nodev "$root$2"
  shift 2
  folders=$((folders - 1))
done
if [ "$scratch" -gt 0 ]; then
  mkdir scratch
  mount -t tmpfs -o "mode=700,size=${scratch}m,nosuid,nodev" tmpfs scratch
fi
for name in null zero random urandom; do
  : > "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
if [ "$filter" != - ] && [ ! -e usr/bin/perl ]; then
  : > usr/bin/perl
  mount --bind "$filter" usr/bin/perl
  mount -o remount,bind,ro,nosuid,nodev usr/bin/perl
fi
mount -t proc proc proc
# Nothing in here may make a user namespace of its own: in one it would hold every capability again.
echo 0 > proc/sys/user/max_user_namespaces
# Settings of the kernel are files there, and whoever is root outside would own them.
mount -o remount,bind,ro,nosuid,nodev,noexec proc
pivot_root . old
cd /
umount -l /old
rmdir /old
mount -o remount,bind,ro,nosuid,nodev /
drop='--bounding-set -all --inh-caps -all --ambient-caps -all --no-new-privs'
if [ "$filter" = - ]; then exec setpriv $drop env -i "$@"; fi
exec setpriv $drop env -i /usr/bin/perl /bundle/filter.pl /bundle/seccomp.bpf "$@"
