/** `bosun resolve NAME ACTION [NOTE]`: a person's answer to an Escalation. */
import { ACTIONS } from "../../../pkg/api/escalations.ts";
import type { EscalationReason } from "../../../pkg/api/generated.ts";
import type { Context } from "../context.ts";
import { didYouMean } from "../did-you-mean.ts";
import { need } from "../objects.ts";
import { withOperator } from "../operator-client/connect.ts";
import { UserError } from "../user-error.ts";

export async function resolve(
  context: Context,
  name: string,
  word: string,
  note: string | undefined,
): Promise<void> {
  await withOperator(context, async ({ client }) => {
    const { spec } = await need(client, "Escalation", name);
    if (spec.resolution !== undefined) {
      throw new UserError(`${name} was answered already, with ${spec.resolution.action}.`);
    }
    const action = actionOf(word, spec.reason);
    const resolution = { action, ...(note === undefined ? {} : { note }) };
    await client.patch("Escalation", { namespace: client.namespace, name }, { spec: { resolution } });
    context.out(`${name}: ${action}.`);
  });
}

/**
 * The action that `word` names, in any case.
 *
 * @throws UserError when it is no answer to `reason`
 */
function actionOf(word: string, reason: EscalationReason): string {
  const actions = ACTIONS[reason];
  const action = actions.find((candidate) => candidate.toLowerCase() === word.toLowerCase());
  if (action !== undefined) return action;
  throw new UserError(
    `"${word}" is no answer to ${reason}.${didYouMean(word, actions)} Answers: ${actions.join(", ")}.`,
    { exitCode: 2 },
  );
}
