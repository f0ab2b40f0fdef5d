#!/bin/sh
# SPDX-License-Identifier: MIT
# In a root of its own, with its own processes and its own loopback: labgrid's coordinator and exporter, boards
# that are simulated, and a night on them. Arguments: the number of boards, then options of the run.
# Files go to /out. DIES, HANGS and HELD name boards.
set -eu
count=$1
shift
export LG_COORDINATOR=127.0.0.1:20408 LG_OPTIONS="$*" HOME=/root NO_COLOR=1

mkdir -p /run/sshd /root/.ssh /farm/state
ssh-keygen -A > /dev/null
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys

# a board is a process namespace with an SSH server, and power ends it
cat > /usr/local/bin/farm-power << 'END'
#!/bin/sh
board=$1
pid=/run/$board.pid
case $2 in
off)
	[ ! -e "$pid" ] || kill -9 "$(cat "$pid")"
	rm -f "$pid"
	;;
on)
	# a dead board takes power, and stays silent
	[ ! -e "/run/$board.dead" ] || exit 0
	setsid unshare --pid --fork --kill-child=KILL /usr/sbin/sshd -D -p "220${board#b}" \
		-o ListenAddress=127.0.0.1 -o UsePAM=no -o StrictModes=no < /dev/null > /dev/null 2>&1 &
	echo $! > "$pid"
	;;
esac
END
# what happens to a board in the middle of a run
cat > /usr/local/bin/farm-break << 'END'
#!/bin/sh
board=$1
while ! grep -q '"line":"start"' "/srv/$board/results/top/journal.jsonl" 2> /dev/null; do sleep 0.05; done
if [ "$2" = die ]; then
	touch "/run/$board.dead"
	farm-power "$board" off
	exit
fi
# one grep for all processes, because the run ends soon
grep -ls "/srv/$board/" /proc/[0-9]*/cmdline | while read -r file; do
	process=${file%/cmdline}
	[ "$(readlink "$process/exe")" != /usr/local/bin/deno ] || kill -STOP "${process#/proc/}"
done
END
# counts the calls of the coordinator
cat > /usr/local/bin/labgrid-client << 'END'
#!/bin/sh
echo "$*" >> /out/calls
exec /usr/bin/labgrid-client "$@"
END
chmod +x /usr/local/bin/farm-power /usr/local/bin/farm-break /usr/local/bin/labgrid-client

cd /farm/state
for n in $(seq "$count"); do
	echo "b$n" >> /farm/boards.list
	printf 'b%s:\n  NetworkService:\n    address: 127.0.0.1\n    port: 220%s\n    username: root\n' "$n" "$n"
done > exporter.yaml
# waits for an answer that has a text
answer() {
	tries=0
	until /usr/bin/labgrid-client "$1" 2> /dev/null | grep -q "$2"; do
		tries=$((tries + 1))
		[ "$tries" -lt 60 ] || exit 9
		sleep 0.5
	done
}
labgrid-coordinator -l "$LG_COORDINATOR" > /out/coordinator.log 2>&1 &
until /usr/bin/labgrid-client places > /dev/null 2>&1; do sleep 0.5; done
# an exporter that finds no coordinator ends
labgrid-exporter -c "$LG_COORDINATOR" --hostname 127.0.0.1 -n farm exporter.yaml > /out/exporter.log 2>&1 &
answer resources "farm/b$count/NetworkService"
for n in $(seq "$count"); do
	/usr/bin/labgrid-client -p "b$n" create
	/usr/bin/labgrid-client -p "b$n" add-match "farm/b$n/NetworkService"
done > /out/places.log
[ -z "${HELD-}" ] ||
	LG_USERNAME=somebody LG_HOSTNAME=elsewhere /usr/bin/labgrid-client -p "$HELD" acquire > /dev/null
[ -z "${DIES-}" ] || farm-break "$DIES" die &
[ -z "${HANGS-}" ] || farm-break "$HANGS" hang &

status=0
FARM_BOARDS=/farm/boards.list FARM_BITSTREAMS=/farm/bitstreams.list \
	PLUMBLINE="deno run -A --no-check /plumbline/hil/cli/main.ts" \
	/farm/night /farm/board.yaml /out/results > /out/page 2>&1 || status=$?
/usr/bin/labgrid-client who > /out/who 2>&1 || true
echo "$status" > /out/status
