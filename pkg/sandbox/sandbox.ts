import { existsSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, sep } from "node:path";
import { compiledName, compiledNpm, startsNpm } from "./compiled-npm.ts";
import { commandEnvironment } from "./environment.ts";
import { executableDirectories } from "./executables.ts";
import { givingWay } from "./giving-way.ts";
import type { PidNamespace } from "./pid-namespace.ts";

/** A process to start: what a sandbox makes of a command. `env` is its whole environment. */
export interface Launch {
  file: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** False: nothing holds the command back, and killing its group may miss a process that left it. */
  contained: boolean;
}

export interface SandboxOptions {
  /** The one folder of the project that the command sees; writable. Absolute. */
  checkout: string;
  /** Where it starts; the checkout when left out. */
  cwd?: string;
  /** Further writable paths, a cache for instance. */
  writable?: readonly string[];
  /** False makes the checkout read-only, for a reviewer. */
  checkoutWritable?: boolean;
  /** Hidden beside HOME, /home, /root, /run, /mnt and /media; see `workspacePlaces`. */
  hide?: readonly string[];
  /** Shown again, read-only, below what is hidden. */
  extraReadOnly?: readonly string[];
  /** Added to the allow-list of the environment; must hold no credential. */
  env?: Readonly<Record<string, string>>;
  /** `none`: loopback of its own and nothing else. `host`: the machine's network, for `setup` when allowed. */
  network: "none" | "host";
  /** Whether it does not give way to all others: what the operator does itself, and waits for. */
  urgent?: boolean;
}

/** HOME inside: empty, writable, gone with the command. */
const sandboxHome = "/tmp/home";

/** Homes, sockets (`/run`: agents of ssh and gpg, docker, dbus), other disks (`/mnt`: Windows' home under WSL2). */
const alwaysHidden = ["/home", "/root", "/run", "/mnt", "/media"];

/**
 * The bubblewrap command line that runs `command` with nothing of the person's in reach.
 *
 * Everything is read-only; homes, sockets, the repository, the state folder and other checkouts are empty folders;
 * `/tmp` is private. Process ids, IPC, host name and network are its own, so that killing the one process that is
 * started ends all of them. Capabilities are dropped, or root inside could unmount what hides.
 *
 * @param command - one line for `bash -c`, or a file and its arguments
 */
export function sandboxed(command: string | readonly string[], options: SandboxOptions): Launch {
  const env = commandEnvironment(options.env ?? {}, sandboxHome);
  const checkout = realpathSync.native(options.checkout);
  const shown = [...executableDirectories(env.PATH ?? ""), ...(options.extraReadOnly ?? [])];
  if (env.RUSTUP_HOME !== undefined) shown.push(env.RUSTUP_HOME);
  if (options.network === "host") shown.push("/etc/resolv.conf");
  const hidden = outermost([...alwaysHidden, homedir(), ...(options.hide ?? [])]);

  const args = [
    "--unshare-user-try",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
  ];
  if (options.network === "none") args.push("--unshare-net");
  args.push("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--ro-bind", "/", "/");
  args.push(
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    "--tmpfs",
    "/tmp",
    "--tmpfs",
    "/var/tmp",
    "--dir",
    sandboxHome,
  );
  for (const place of hidden) {
    if (statSync(place).isDirectory()) args.push("--tmpfs", place);
    else args.push("--ro-bind", "/dev/null", place);
  }
  for (const place of covered(shown, hidden)) args.push("--ro-bind", place, place);
  if (typeof command === "string" && startsNpm(command)) args.push(...showCompiledNpm(env.PATH ?? ""));
  args.push(options.checkoutWritable === false ? "--ro-bind" : "--bind", checkout, checkout);
  for (const place of options.writable ?? []) args.push("--bind", realpathSync.native(place), place);
  for (const place of hidden) {
    if (statSync(place).isDirectory() && place !== checkout) args.push("--remount-ro", place);
  }
  args.push("--chdir", options.cwd ?? checkout, "--");
  if (options.urgent !== true) args.push(...givingWay());
  args.push(...words(command));
  return { file: "bwrap", args, env, contained: true };
}

/** What is kept of npm, read-only, where Node looks for it: a folder of links, so that commands keep there what they like. */
function showCompiledNpm(path: string): readonly string[] {
  const compiled = compiledNpm(path);
  if (compiled === undefined) return [];
  const { folder, files } = compiled;
  const links = files.flatMap((file) => ["--symlink", join(folder, file), join("/tmp", compiledName, file)]);
  // Old ones are removed: that it is gone meanwhile must not keep a command from running.
  return ["--ro-bind-try", folder, folder, ...links];
}

/**
 * The same command with the same environment and no sandbox: for `sandbox: Off`, and for a rehearsal on a machine
 * without one. It sees and can change whatever the person can; `contained` says so. To be started in a session of its own, as
 * `runCommand` does: the session gives way with it.
 *
 * @param options.home - an empty folder to use as HOME
 * @param options.pids - gives it process ids of its own, so that what it starts ends with it; see `PidNamespace`
 */
export function unsandboxed(
  command: string | readonly string[],
  options: { home: string; env?: Readonly<Record<string, string>>; pids?: PidNamespace },
): Launch {
  const inside = options.pids === undefined ? [] : ["unshare", ...options.pids, "--"];
  const [file = "sh", ...args] = [...inside, ...givingWay(), ...words(command)];
  return { file, args, env: commandEnvironment(options.env ?? {}, options.home), contained: false };
}

function words(command: string | readonly string[]): readonly string[] {
  return typeof command === "string" ? ["bash", "-c", command] : command;
}

/** The existing ones, by real path, without those below another. */
function outermost(places: readonly string[]): readonly string[] {
  const real = new Set(
    places.filter((place) => existsSync(place)).map((place) => realpathSync.native(place)),
  );
  real.delete(sep);
  return [...real].filter((place) => ![...real].some((other) => other !== place && isBelow(place, other)));
}

/** What would vanish with `hidden` or with /tmp and must be shown again; never a whole hidden place. */
function covered(places: readonly string[], hidden: readonly string[]): readonly string[] {
  const gone = [...hidden, "/tmp", "/var/tmp"];
  const needed = new Set<string>();
  for (const place of places) {
    if (!existsSync(place)) continue;
    const real = realpathSync.native(place);
    for (const path of [place, real]) {
      const hides = gone.some((other) => isBelow(path, other));
      const reveals = gone.some((other) => path === other || isBelow(other, path));
      if (hides && !reveals) needed.add(path);
    }
  }
  return [...needed].sort();
}

function isBelow(place: string, folder: string): boolean {
  return place.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
