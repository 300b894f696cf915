import { StatusError } from "../../api/status-error.ts";
import { apiVersionOf } from "../../registry/resource.ts";
import { badRequest } from "../../registry/status-errors.ts";
import { objectText, sendJsonText } from "../responses.ts";
import { type Call, keyOfTarget, labelSelectorOf } from "./call.ts";

export async function getObject(call: Call): Promise<void> {
  const { registry, response, target } = call;
  const object = await registry.get(target.resource.id, keyOfTarget(call), target.subresource);
  sendJsonText(response, 200, objectText(object));
}

/** All objects at once: `limit` may be ignored, as there is no continue token to follow. */
export async function listObjects({ registry, response, target, query }: Call): Promise<void> {
  const { resource, namespace } = target;
  checkReached(query.get("resourceVersion"), registry.revision);
  const list = await registry.list(resource.id, { namespace, labelSelector: labelSelectorOf(query) });
  const items = list.items.map(objectText).join(",");
  const metadata = JSON.stringify({ continue: "", ...list.metadata });
  const head = `"apiVersion":"${apiVersionOf(resource)}","kind":"${resource.listKind}"`;
  sendJsonText(response, 200, `{${head},"metadata":${metadata},"items":[${items}]}`);
}

/** A list is always the newest: it fulfils every resourceVersion but one that was never given. */
function checkReached(requested: string | null, current: string): void {
  if (!requested) return;
  if (!/^\d+$/.test(requested)) {
    const why = `strconv.ParseUint: parsing "${requested}": invalid syntax`;
    throw badRequest(`invalid resource version: resourceVersion: Invalid value: "${requested}": ${why}`);
  }
  if (BigInt(requested) <= BigInt(current)) return;
  const cause = { reason: "ResourceVersionTooLarge", message: "Too large resource version" };
  throw new StatusError(
    504,
    "Timeout",
    `Timeout: Too large resource version: ${requested}, current: ${current}`,
    {
      causes: [cause],
      retryAfterSeconds: 1,
    },
  );
}
