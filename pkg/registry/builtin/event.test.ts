import { describe, expect, test } from "vitest";
import { openTestRegistry } from "../testing/registry.ts";
import { coreEventResource, eventResource } from "./event.ts";

const core = coreEventResource.id;
const newer = eventResource.id;
const key = { namespace: "default", name: "e" };
const about = { apiVersion: "test.example/v1", kind: "Widget", name: "w", namespace: "default" };

describe("an Event", () => {
  test("made in core/v1 is seen in events.k8s.io/v1", async () => {
    const { registry } = await openTestRegistry();
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "e" },
      involvedObject: about,
      reason: "Started",
      message: "it began",
      type: "Normal",
      count: 1,
      firstTimestamp: "2020-01-01T01:00:00.123+01:00",
      source: { component: "tester" },
    };
    expect(await registry.create(core, "default", event)).toMatchObject({
      firstTimestamp: "2020-01-01T00:00:00Z",
      lastTimestamp: null,
      eventTime: null,
      reportingComponent: "",
    });
    const seen = await registry.get(newer, key);
    expect(seen).toMatchObject({
      apiVersion: "events.k8s.io/v1",
      regarding: about,
      note: "it began",
      deprecatedSource: { component: "tester" },
      deprecatedFirstTimestamp: "2020-01-01T00:00:00Z",
      deprecatedCount: 1,
    });
    expect(seen).not.toHaveProperty("message");
    expect(await registry.get(newer, key)).toBe(seen);
  });

  test("made in events.k8s.io/v1 is stored, listed and watched in both", async () => {
    const { registry, settle } = await openTestRegistry();
    const { resourceVersion } = (await registry.list(newer)).metadata;
    await registry.create(newer, "default", newEvent());
    expect(await registry.get(core, key)).toMatchObject({
      apiVersion: "v1",
      involvedObject: about,
      message: "it ended",
      reportingComponent: "test.example/ctl",
      eventTime: "2020-01-01T00:00:00.000001Z",
    });
    expect((await registry.list(newer)).items).toMatchObject([{ note: "it ended", regarding: about }]);
    await settle();
    for (const resource of [core, newer]) {
      const events = registry.watch(resource, { resourceVersion });
      const { value } = await events[Symbol.asyncIterator]().next();
      expect(value.object).toEqual(await registry.get(resource, key));
    }
  });

  test("of events.k8s.io/v1 must be whole", async () => {
    const { registry } = await openTestRegistry();
    const event = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: "e" },
      regarding: { namespace: "default" },
      series: { count: 1 },
    };
    await expect(registry.create(newer, "default", event)).rejects.toMatchObject({
      message:
        'Event "e" is invalid: [eventTime: Required value, series.count: Invalid value: "": should be at least 2, series.lastObservedTime: Required value, type: Invalid value: "": has invalid value: ]',
    });
  });

  test("of events.k8s.io/v1 can only be continued", async () => {
    const { registry } = await openTestRegistry();
    await registry.create(newer, "default", newEvent());
    const series = { count: 2, lastObservedTime: "2020-01-01T00:01:00.000000Z" };
    expect(await registry.patch(newer, key, { type: "merge", body: { series } })).toMatchObject({ series });
    await expect(
      registry.patch(newer, key, { type: "merge", body: { note: "otherwise" } }),
    ).rejects.toMatchObject({
      message: 'Event "e" is invalid: message: Invalid value: "otherwise": field is immutable',
    });
  });

  test("is about an object of its own namespace", async () => {
    const { registry } = await openTestRegistry();
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "e" },
      involvedObject: { ...about, namespace: "kube-public" },
    };
    await expect(registry.create(core, "default", event)).rejects.toMatchObject({
      message:
        'Event "e" is invalid: involvedObject.namespace: Invalid value: "kube-public": does not match event.namespace',
    });
  });

  test("is made by a PUT when it is not there", async () => {
    const { registry } = await openTestRegistry();
    const event = { apiVersion: "v1", kind: "Event", metadata: { name: "e" }, involvedObject: about };
    expect(await registry.update(core, key, event)).toMatchObject({ involvedObject: about });
  });

  test("is shown with when it was last seen", () => {
    const cells = eventResource.builtin?.table.cells(
      {
        ...newEvent(),
        series: { count: 7, lastObservedTime: "2020-01-01T00:01:00.000000Z" },
      } as never,
      (time) => time ?? "<unknown>",
    );
    expect(cells).toEqual([
      "2020-01-01T00:01:00.000000Z",
      "Warning",
      "Ended",
      "widget/w",
      "",
      "test.example/ctl, ctl-1",
      "it ended",
      "2020-01-01T00:00:00.000001Z",
      7,
      "e",
    ]);
  });
});

function newEvent() {
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: "e" },
    regarding: about,
    reason: "Ended",
    action: "Ending",
    note: "it ended",
    type: "Warning",
    eventTime: "2020-01-01T00:00:00.000001Z",
    reportingController: "test.example/ctl",
    reportingInstance: "ctl-1",
  };
}
