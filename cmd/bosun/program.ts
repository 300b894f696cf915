/** The command line: every command with its words and options. What a command does is loaded when it runs. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Context } from "./context.ts";
import { ExitCode } from "./exit-code.ts";
import { report } from "./report.ts";

/** Runs one command line; gives the exit code: 0 done, 1 not done, 2 wrong usage, or that of a program it ran. */
export async function runProgram(args: readonly string[], context: Context): Promise<number> {
  try {
    await program(context).parseAsync(meant(args), { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof ExitCode) return error.code;
    return report(error, context);
  }
}

/** Nothing asks for help, and `--version` for what most programs tell then. */
function meant(args: readonly string[]): readonly string[] {
  const [first, ...others] = args;
  if (first === undefined) return ["--help"];
  return first === "--version" || first === "-V" ? ["version", ...others] : args;
}

export function program(context: Context): Command {
  const root = new Command("bosun")
    .description("Keeps a crew of Claude agents at work on this repository.")
    .exitOverride()
    // What comes after `kubectl` is kubectl's.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => context.out(text.trimEnd()),
      writeErr: (text) => context.note(text.trimEnd()),
    })
    .showHelpAfterError("Run `bosun --help` for all commands.")
    .showSuggestionAfterError();
  addRunning(root, context);
  addLooking(root, context);
  addSteering(root, context);
  addKubernetes(root, context);
  for (const command of root.commands)
    command.showHelpAfterError(`Run \`bosun ${command.name()} --help\` for what it takes.`);
  return root;
}

function addRunning(root: Command, context: Context): void {
  root.commandsGroup("Running:");
  root
    .command("init")
    .description(
      "write a commented .claude-sessions/ for this repository and set up the editor for it; never overwrites",
    )
    .option("--budget <usd>", "daily limit in US dollars, instead of asking")
    .option("--vscode", "add to .vscode/settings.json also where git tracks it")
    .option("--no-vscode", "leave .vscode/settings.json alone")
    .action(async (options) => (await import("./commands/init.ts")).init(context, options));
  root
    .command("up")
    .description("run the operator in the foreground: agents work until you press Ctrl-C")
    .option("--rehearse", "play the model from scenarios: offline, for nothing, into rehearsal/<target>")
    .option("--scenarios <folder...>", "folders of scenario files that a rehearsal asks first")
    .option("--pace <factor>", "how long the played model pauses: 1 as written, 0 not at all", nonNegative)
    .option("--until-settled", "end when every project has ended or waits for you")
    .option("--kubeconfig <file>", "work for the cluster that this file names, not for the folder's YAML")
    .option("--context <name>", "a context of the kubeconfig, instead of its current one")
    .option("--namespace <name>", "the workspace's namespace, instead of the context's")
    .action(async (options) => (await import("./commands/up.ts")).up(context, options));
  root
    .command("apiserver")
    .description("serve the Kubernetes API of any CRDs, alone, on a folder of data")
    .requiredOption("--crd-dir <folder...>", "folders of CustomResourceDefinitions")
    .requiredOption("--data-dir <folder>", "where the objects are kept")
    .option("--listen <host:port>", "where to listen; port 0 takes a free one", "127.0.0.1:0")
    .option(
      "--kubeconfig-out <file>",
      "where to write the kubeconfig (default: kubeconfig in the data folder)",
    )
    .addOption(
      new Option("--garbage-collector <on|off>", "whether objects go when their owners are gone")
        .choices(["on", "off"])
        .default("on"),
    )
    .action(async (options) => (await import("./commands/apiserver.ts")).apiserver(context, options));
  root
    .command("install")
    .description("put Bosun's kinds and roles into a cluster")
    .option("--kubeconfig <file>", "the cluster's kubeconfig (default: as kubectl finds it)")
    .option("--context <name>", "a context of the kubeconfig, instead of its current one")
    .option("--samples", "a Workspace, pools, a Budget, Categories and Projects to start from, too")
    .option("--namespace <name>", "where the samples go, instead of the context's namespace")
    .action(async (options) => (await import("./commands/install.ts")).install(context, options));
  root
    .command("import")
    .description("move this workspace into a cluster, with its status")
    .option("--kubeconfig <file>", "the cluster's kubeconfig (default: as kubectl finds it)")
    .option("--context <name>", "a context of the kubeconfig, instead of its current one")
    .option("--namespace <name>", "where in the cluster, instead of the context's namespace")
    .action(async (options) => (await import("./commands/move.ts")).importWorkspace(context, options));
  root
    .command("export")
    .description("move this workspace out of its cluster into .claude-sessions/, with its status")
    .action(async () => (await import("./commands/move.ts")).exportWorkspace(context));
  root
    .command("doctor")
    .description("check this machine and this repository")
    .action(async () => (await import("./commands/doctor.ts")).doctor(context));
  root
    .command("version")
    .description("print the version")
    .action(async () => (await import("./commands/version.ts")).version(context));
}

function addLooking(root: Command, context: Context): void {
  root.commandsGroup("Looking:");
  root
    .command("status")
    .description("who works on what, how far, for how much, and what waits for you")
    .action(async () => (await import("./commands/status.ts")).status(context));
  root
    .command("get <kind> [names...]")
    .description("list objects: projects, agents, pools, reviews, budgets, escalations, events, all, ...")
    .addOption(
      new Option("-o, --output <form>", "form of the output").choices(["wide", "yaml", "json", "name"]),
    )
    .option("-w, --watch", "print changes as they happen")
    .option("-l, --selector <labels>", "only objects with these labels: a=b,c!=d")
    .action(async (kind, names, options) =>
      (await import("./commands/get.ts")).get(context, kind, names, options),
    );
  root
    .command("describe <kind> [names...]")
    .description("everything about objects: spec, status, conditions, events; all of the kind without a name")
    .action(async (kind, names) => (await import("./commands/describe.ts")).describe(context, kind, names));
  root
    .command("why [name]")
    .description("why a project or agent is not moving, and what would change it; all of them without a name")
    .action(async (name) => (await import("./commands/why.ts")).why(context, name));
  root
    .command("logs <agent>")
    .description("what an agent's session says and does")
    .option("-f, --follow", "go on as it happens")
    .action(async (agent, options) => (await import("./commands/logs.ts")).logs(context, agent, options));
  root
    .command("escalations")
    .description("questions that only you can answer")
    .option("-a, --all", "answered ones too")
    .action(async (options) => (await import("./commands/escalations.ts")).escalations(context, options));
  const budget = root
    .command("budget")
    .description("limits, what was spent and on what, and how long the rest lasts")
    .addOption(
      new Option("--by <what>", "one table alone, in full").choices(["project", "agent", "model", "purpose"]),
    )
    .addOption(
      new Option(
        "--window <window>",
        "the window of the tables (default: the first that is limited)",
      ).choices(["day", "month"]),
    )
    .addOption(new Option("-o, --output <form>", "form of the output").choices(["json"]))
    .action(async (options) => (await import("./commands/budget.ts")).budget(context, options));
  budget
    .command("settle <id>")
    .description("say what a request cost whose usage was never seen")
    .requiredOption("--cost <usd>", "in US dollars")
    .action(async (id, options) => (await import("./commands/settle.ts")).settle(context, id, options));
  budget
    .command("rebuild")
    .description("make a damaged or missing ledger anew from what can be proven; says what it would do first")
    .option("--write", "do it; the damaged file is kept beside it")
    .action(async (options) => (await import("./commands/rebuild.ts")).rebuildBudget(context, options));
}

function addSteering(root: Command, context: Context): void {
  root.commandsGroup("Steering:");
  root
    .command("pause [what...]")
    .description("pause the workspace, or `agent NAME`, `pool NAME`, `category NAME`")
    .action(async (what) => (await import("./commands/pause.ts")).pause(context, true, what));
  root
    .command("resume [what...]")
    .description("undo a pause or a stop")
    .action(async (what) => (await import("./commands/pause.ts")).pause(context, false, what));
  root
    .command("scale <pool> <n>")
    .description("set how many agents a pool has")
    .action(async (pool, count) => (await import("./commands/scale.ts")).scale(context, pool, count));
  root
    .command("assign <project> <agent>")
    .description("let only this agent work on a project")
    .action(async (project, agent) => (await import("./commands/assign.ts")).assign(context, project, agent));
  root
    .command("unassign <project>")
    .description("let any agent claim a project")
    .action(async (project) => (await import("./commands/assign.ts")).unassign(context, project));
  root
    .command("restart <agent>")
    .description("give an agent's session a new host")
    .action(async (agent) => (await import("./commands/restart.ts")).restart(context, agent));
  root
    .command("skip <project>")
    .description("keep a project out of the queue")
    .option("--undo", "put it back")
    .action(async (project, options) => (await import("./commands/skip.ts")).skip(context, project, options));
  root
    .command("resolve <escalation> <action> [note]")
    .description("answer an escalation")
    .action(async (name, action, note) =>
      (await import("./commands/resolve.ts")).resolve(context, name, action, note),
    );
  root
    .command("stop")
    .description("end the operator: turns finish, work is saved")
    .option(
      "--emergency",
      "end every session, its processes and requests at once, with or without an operator",
    )
    .action(async (options) => (await import("./commands/stop.ts")).stop(context, options));
  root
    .command("accept-deletions")
    .description("delete the objects that were missing from the files and kept")
    .action(async () => (await import("./commands/accept-deletions.ts")).acceptDeletions(context));
}

function addKubernetes(root: Command, context: Context): void {
  root.commandsGroup("Kubernetes:");
  root
    .command("kubectl [args...]")
    .description("run kubectl on this workspace: `bosun kubectl get projects -o wide`")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args) => (await import("./commands/kubectl.ts")).kubectl(context, args));
  root
    .command("env")
    .description('print what lets kubectl and other clients find this workspace: eval "$(bosun env)"')
    .action(async () => (await import("./commands/env.ts")).env(context));
}

/** A factor as it stands on the command line. */
function nonNegative(text: string): number {
  const factor = text.trim() === "" ? Number.NaN : Number(text);
  if (factor >= 0 && Number.isFinite(factor)) return factor;
  throw new InvalidArgumentError("It must be a number of 0 or more.");
}
