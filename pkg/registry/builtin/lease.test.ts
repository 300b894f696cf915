import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../api/meta.ts";
import { openTestRegistry } from "../testing/registry.ts";
import { leaseResource } from "./lease.ts";

const leases = leaseResource.id;
const key = { namespace: "default", name: "l" };

describe("a Lease", () => {
  test("is made by a PUT when it is not there, whatever revision that names", async () => {
    const { registry } = await openTestRegistry();
    const object = lease({ holderIdentity: "me" }, "7");
    expect(await registry.update(leases, key, object)).toMatchObject({ spec: { holderIdentity: "me" } });
  });

  test("is not made by a PUT that names the uid of one that is gone", async () => {
    const { registry } = await openTestRegistry();
    const gone = lease({ holderIdentity: "me" });
    const named = { ...gone, metadata: { ...gone.metadata, uid: "u" } };
    await expect(registry.update(leases, key, named)).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining(
        "Key: /registry/leases/default/l, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: u, UID in object meta: ",
      ),
    });
  });

  test("is renewed only by one who has seen it", async () => {
    const { registry } = await openTestRegistry();
    await registry.create(leases, "default", lease({ holderIdentity: "me" }));
    await expect(registry.update(leases, key, lease({ holderIdentity: "you" }))).rejects.toMatchObject({
      message:
        'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    });
  });

  test.each([
    [{ leaseDurationSeconds: 0 }, "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"],
    [
      { leaseTransitions: -1 },
      "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
    ],
    [
      { preferredHolder: "you" },
      "spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined",
    ],
    [
      { strategy: "Mine" },
      'spec.strategy.strategy: Unsupported value: "Mine": supported values: "OldestEmulationVersion"',
    ],
  ])("with %o is refused", async (spec, why) => {
    const { registry } = await openTestRegistry();
    await expect(registry.create(leases, "default", lease(spec))).rejects.toMatchObject({
      code: 422,
      message: `Lease.coordination.k8s.io "l" is invalid: ${why}`,
    });
  });

  test.each([
    [
      { leaseDurationSeconds: "x" },
      "json: cannot unmarshal string into Go struct field LeaseSpec.spec.leaseDurationSeconds of type int32",
    ],
    [
      { renewTime: "soon" },
      'parsing time "soon" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "soon" as "2006"',
    ],
  ])("with %o cannot be read", async (spec, why) => {
    const { registry } = await openTestRegistry();
    await expect(registry.create(leases, "default", lease(spec))).rejects.toMatchObject({
      code: 400,
      message: `Lease in version "v1" cannot be handled as a Lease: ${why}`,
    });
  });
});

function lease(spec: object, resourceVersion?: string): KubeObject {
  const metadata = { name: "l", ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec };
}
