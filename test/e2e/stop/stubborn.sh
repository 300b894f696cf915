# A tree of processes that do not want to end. Each shows the folder it was started in as its name, however it hides.
#
#   bash stubborn.sh         does not return
#   bash stubborn.sh leave   returns, and leaves those behind that shed environment, group and session
exec > /dev/null 2>&1 < /dev/null
trap '' TERM HUP INT QUIT USR1 ALRM
name="stubborn:$PWD"
hold="trap '' TERM HUP INT QUIT; exec -a '$name' sleep 100000"

# Its parent ends, so that init adopts it, in a session and group of its own, with no environment.
(env -i setsid "$BASH" -c "$hold" &)
# The same in namespaces of its own, where the machine lets it have them.
(env -i setsid unshare --user --map-root-user --pid --fork "$BASH" -c "$hold; : " &)
# One that is another process every moment.
(env -i setsid "$BASH" -c "while :; do (exec -a '$name' sleep 0.2); done; : $name" &)
if [ "$1" = leave ]; then
  # Until they have shed everything: before, the end of this command would be theirs as well.
  until [ "$(grep -ls "^$name" /proc/[0-9]*/cmdline | wc -l)" -ge 2 ]; do sleep 0.05; done
  exit 0
fi

"$BASH" -c "$hold" &
(setsid "$BASH" -c "$hold" &)
while :; do wait; sleep 1; done
