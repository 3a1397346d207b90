# Second wall without bubblewrap: gives the process a root of its own, then drops every capability.
# Runs inside new user, mount, network, process and IPC namespaces. Arguments: bundle, folder of node, node arguments.
set -eu
bundle=$1
node_folder=$2
shift 2
root=$bundle/root
mount -t tmpfs -o mode=755,size=1m tmpfs "$root"
cd "$root"
mkdir usr bundle node dev proc old
mount --bind /usr usr
mount -o remount,bind,ro,nosuid,nodev usr
for name in bin sbin lib lib64; do
  if [ -L "/$name" ]; then ln -s "usr/$name" "$name"; fi
done
mount --bind "$bundle" bundle
mount -o remount,bind,ro,nosuid,nodev bundle
mount --bind "$node_folder" node
mount -o remount,bind,ro,nosuid,nodev node
for name in null zero random urandom; do
  : > "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
mount -t proc proc proc
# Nothing in here may make a user namespace of its own: in one it would hold every capability again.
echo 0 > proc/sys/user/max_user_namespaces
pivot_root . old
umount -l /old
rmdir /old
mount -o remount,bind,ro,nosuid,nodev /
exec setpriv --bounding-set -all --inh-caps -all --ambient-caps -all --no-new-privs env -i /node/node "$@"
