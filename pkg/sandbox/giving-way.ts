/**
 * The beginning of a command line whose rest then gives way to all others: when ten agents compile, the person's editor, the
 * operator, the gateway and a stop go first. Linux with autogroups (sched(7)) shares time out by session before it looks at
 * the niceness of processes, so the session gets it as well: to be started in one of its own. Linux may refuse one of two
 * that start in the same tenth of a second, which then has the process's niceness only.
 *
 * @param niceness - of 0 to 19; 10 is what `nice` gives where nobody says how much
 */
export function givingWay(niceness = 10): readonly string[] {
  const session = `{ echo ${niceness} > /proc/self/autogroup; } 2> /dev/null`;
  return ["sh", "-c", `${session}; exec nice -n ${niceness} "$@"`, "sh"];
}
