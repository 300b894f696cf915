/** The commented files that `bosun init` writes. */
import { PROJECT_CATEGORIES } from "../../../pkg/api/generated.ts";
import type { SuggestedCommands } from "./check-commands.ts";

export interface InitialFile {
  /** Within `.claude-sessions/`. */
  path: string;
  /** What it declares; not written where some file declares one already. */
  kind: string;
  text: string;
}

export interface Choices {
  /** The Workspace's name. */
  name: string;
  targetBranch: string;
  commands: SuggestedCommands;
  /** US dollars a day. */
  dailyUSD: number;
}

export function initialFiles(choices: Choices): InitialFile[] {
  return [
    { path: "workspace.yaml", kind: "Workspace", text: workspace(choices) },
    { path: "pools.yaml", kind: "AgentPool", text: pools },
    { path: "budget.yaml", kind: "Budget", text: budget(choices.dailyUSD) },
    { path: "categories.yaml", kind: "Category", text: categories() },
    { path: "projects/example.yaml", kind: "Project", text: exampleProject },
  ];
}

function workspace({ name, targetBranch, commands }: Choices): string {
  return `# The repository that Bosun works on, and what holds for all work in it.
# Bosun reads this folder while it runs: save a file and it counts. An invalid edit changes nothing and is reported by
# \`bosun get events\`. What you write here, comments too, stays as you wrote it.
apiVersion: bosun.dev/v1alpha1
kind: Workspace
metadata:
  name: ${quote(name)}
spec:
  repository:
    # Approved work is merged into this branch. A rehearsal (\`bosun up --rehearse\`) leaves it alone.
    targetBranch: ${quote(targetBranch)}

  # What decides whether a commit is good: each runs in a clean checkout, in this order, in a sandbox.
${commandLines(commands)}
  # The sandbox has no network. Host lets the setup command, and it alone, reach what this machine reaches.
  setupNetwork: ${commands.setup === undefined ? "None" : "Host"}

  # Running, Paused (sessions end after their turn, nothing is lost) or Stopped (everything ends at once).
  mode: Running

  # Auto merges what passed the checks and a review; Manual waits for a person's \`approvedHead\`.
  merge:
    mode: Auto

  # The most that one piece of work may take. These are the defaults; they can be lowered, never raised.
  # limits:
  #   projectSeconds: 28800
  #   reviewSeconds: 7200
  #   stuckSeconds: 1800
  #   reviewCycles: 3

  # Ignored files that checkouts need, as glob patterns. Files that look like secrets are refused.
  # checkout:
  #   include: ["config/local.json"]
`;
}

const commandNames = ["setup", "lint", "test", "build"] as const;

function commandLines(commands: SuggestedCommands): string {
  const blocks = commandNames.map((name) => {
    const run = commands[name];
    return run === undefined ? `    # ${name}:\n    #   run: ...` : `    ${name}:\n      run: ${quote(run)}`;
  });
  const hasAny = commandNames.some((name) => commands[name] !== undefined);
  const head = hasAny ? "  commands:" : "  commands: {}";
  // Beneath \`{}\` nothing may stand but comments, which is all there is then.
  const warning =
    commands.test === undefined
      ? "  # Bosun found no test command. Without one nothing merges: write it here, or say `checks: None` to merge on the\n  # review alone.\n"
      : "";
  return `${warning}${head}\n${blocks.join("\n")}\n`;
}

const pools = `# How many agents there are. Agents of an execution pool work on projects; agents of a review pool judge the work of
# others. There are never more than 10 over all pools. \`bosun scale execution 3\` changes this file.
apiVersion: bosun.dev/v1alpha1
kind: AgentPool
metadata:
  name: execution
spec:
  role: Execution
  replicas: 1
  model: claude-sonnet-5-5
---
apiVersion: bosun.dev/v1alpha1
kind: AgentPool
metadata:
  name: review
spec:
  role: Review
  replicas: 1
  model: claude-sonnet-5-5
  # What its agents look for besides the project's own criteria:
  # criteria:
  #   - Every new public function has a test.
`;

function budget(dailyUSD: number): string {
  return `# A hard limit: money is reserved before a request is sent, so that no run spends more. Without a Budget nothing runs.
apiVersion: bosun.dev/v1alpha1
kind: Budget
metadata:
  name: default
spec:
  daily:
    usd: ${dailyUSD.toFixed(2)}
  # monthly:
  #   usd: 100.00
  # Where days and months begin:
  timeZone: UTC
  # People are told at these shares of a limit, in per cent:
  alertPercents: [50, 75, 90]
`;
}

function categories(): string {
  const head = `# The 21 categories of work. Where one is Enabled, agents without work will propose projects of their own, which spends
# money; that is not built yet, so that Enabled and Disabled do the same so far. Paused makes the category's projects
# wait.
`;
  return head + PROJECT_CATEGORIES.map(category).join("---\n");
}

function category(name: string): string {
  return `apiVersion: bosun.dev/v1alpha1
kind: Category
metadata:
  name: ${name}
spec:
  mode: Disabled
`;
}

const exampleProject = `# A project is one piece of work for one agent. It is skipped until you say so: set \`skip: false\`, or delete the line,
# and an agent claims it within seconds. A file for each of your own beside this one is all it takes.
apiVersion: bosun.dev/v1alpha1
kind: Project
metadata:
  name: example
spec:
  skip: true
  title: Say in the README how to run the tests
  description: |
    Somebody who has just cloned this repository should find in the README which command runs the tests, and what it
    needs to be installed.
  category: documentation
  tasks:
    - id: T-1
      title: Find out which command runs the tests and what it needs
    - id: T-2
      title: Write it into the README
      criteria: [AC-1, AC-2]
  # What the work is judged by. Agents can't change it.
  acceptanceCriteria:
    - id: AC-1
      text: The README names the command that runs the tests.
    - id: AC-2
      text: The README says what has to be installed first.
`;

/** A YAML string that no dialect takes for anything else; plain where that is safe. */
function quote(text: string): string {
  const isPlain =
    /^[A-Za-z][A-Za-z0-9 _./-]*$/.test(text) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(text);
  return isPlain && !text.endsWith(" ") ? text : JSON.stringify(text);
}
