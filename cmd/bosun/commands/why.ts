/** `bosun why [NAME]`: why is this project or agent not moving, and what would change it? */
import { isInForce } from "../../../controllers/deps.ts";
import type { Context } from "../context.ts";
import { didYouMean } from "../did-you-mean.ts";
import { type Connection, withObjects } from "../operator-client/connect.ts";
import type { Reader } from "../operator-client/socket-client.ts";
import { readRefusedEdits } from "../refused-edits.ts";
import { UserError } from "../user-error.ts";
import { heedLatch } from "../view/heed-latch.ts";
import { withLastActivity } from "../view/last-activity.ts";
import { readObjects } from "../view/objects.ts";
import { whyAgent } from "../why/agent.ts";
import type { Answer, World } from "../why/answer.ts";
import { everythingStands } from "../why/everything.ts";
import { whyProject } from "../why/project.ts";

export async function why(context: Context, name: string | undefined): Promise<void> {
  await withObjects(context, async (connection) => {
    const world = await readWorld(connection, context.now());
    const refused = readRefusedEdits(connection.folder);
    const lines = name === undefined ? everyone(world) : answerLines(name, answerFor(name, world, refused));
    for (const line of lines) context.out(line);
    if (name === undefined) for (const message of refused) context.out(message);
    if (!connection.live)
      context.out(connection.unheard ?? "No operator is running: nothing moves until `bosun up`.");
  });
}

async function readWorld({ client, folder }: Connection<Reader>, now: number): Promise<World> {
  const [all, categories] = await Promise.all([
    readObjects(client),
    client.list("Category", { namespace: client.namespace }),
  ]);
  const { workspaces, ...objects } = heedLatch(all, folder, now);
  const agents = withLastActivity(objects.agents, folder);
  const budgets = objects.budgets.filter(isInForce);
  return { ...objects, agents, budgets, workspace: workspaces[0], categories: categories.items, now };
}

/** The answer for the project or agent called `name`; a project's number will do too. */
function answerFor(name: string, world: World, refused: readonly string[]): Answer {
  const agent = world.agents.find(({ metadata }) => metadata.name === name);
  if (agent !== undefined) return whyAgent(agent, world);
  const project = world.projects.find(
    ({ metadata, status }) => metadata.name === name || String(status?.number) === name,
  );
  if (project !== undefined) return whyProject(project, world);
  const names = [...world.projects, ...world.agents].map(({ metadata }) => metadata.name);
  // It may be declared by a file that has a mistake.
  const hint = [didYouMean(name, names), ...refused.map((message) => `\n${message}`)].join("");
  throw new UserError(`There is no project or agent "${name}".${hint}`);
}

/** The whole fleet: what stands first, then what moves. */
function everyone(world: World): string[] {
  const all = everythingStands(world);
  if (all !== undefined) return answerLines("Nothing moves", all);
  const answers = [
    ...world.projects
      .filter(({ status }) => status?.phase !== "Done")
      .map((project) => [project.metadata.name, whyProject(project, world)] as const),
    ...world.agents.map((agent) => [agent.metadata.name, whyAgent(agent, world)] as const),
  ];
  if (answers.length === 0) return ["There are no open projects and no agents."];
  const byStanding = [
    ...answers.filter(([, { isMoving }]) => !isMoving),
    ...answers.filter(([, { isMoving }]) => isMoving),
  ];
  return byStanding.flatMap(([name, answer]) => answerLines(name, answer));
}

function answerLines(name: string, { because, remedies }: Answer): string[] {
  return [`${name}: ${because}`, ...remedies.map((remedy) => `    ${remedy}`)];
}
