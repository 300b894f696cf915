import v8 from "node:v8";

/**
 * Has V8 take a function for worth optimizing after ten times as many calls as by itself, and so never in a process that
 * works in short bursts: what its compilers take beside each other during a start is never given back, and such code is not
 * run often enough to be worth it. One that is called all the time is still found within a second.
 */
export function compileLate(): void {
  // Names of V8 12 to 14 (Node 22 to 26); one that does not know them says so on stderr and goes on.
  v8.setFlagsFromString("--invocation-count-for-maglev=4000");
  v8.setFlagsFromString("--invocation-count-for-turbofan=30000");
}
