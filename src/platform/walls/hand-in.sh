# Starts a program behind its wall and hands folders in later. Runs in user and mount namespaces that are made for this
# one program. Arguments: an empty folder, then what to run. Descriptor 4 brings a line for each folder, then an empty
# one; it is answered with a line when all of them are seen inside. That happens once.
set -eu
place=$1
shift
mount -t tmpfs -o mode=755,size=1m tmpfs "$place"
mkdir "$place/handed" "$place/staged"
mount --bind "$place/handed" "$place/handed"
# What is mounted here shows up behind the wall too, since the wall's mount is a follower of this one.
mount --make-shared "$place/handed"
exec 5<&0
# It ends with the program, although it reads its orders.
("$@" <&5 4<&- 5<&- || true; kill -KILL $$) &
exec 5<&- </dev/null >/dev/null
index=0
while IFS= read -r folder <&4 && [ -n "$folder" ]; do
  mkdir "$place/staged/$index" "$place/handed/$index"
  # Read-only before anybody inside can see it: a later change of the mount would not follow.
  mount --bind "$folder" "$place/staged/$index"
  mount -o remount,bind,ro,nosuid,nodev "$place/staged/$index"
  mount --bind "$place/staged/$index" "$place/handed/$index"
  index=$((index + 1))
done
echo done >&4 || true
wait
