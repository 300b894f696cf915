/** Asks a person. */
import type { Escalation } from "../pkg/api/generated.ts";
import { isAlreadyExists } from "../pkg/api/status-error.ts";
import type { Deps } from "./deps.ts";

/** Creates `escalation`. One of the same name says the same thing: then nothing is done. */
export async function raise(escalation: Escalation, { client }: Pick<Deps, "client">): Promise<void> {
  try {
    await client.create("Escalation", escalation);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
