import { expect, test } from "vitest";
import { kindsGone } from "./kinds-gone.ts";

test("a kind that a cluster stops to serve is told once, and once more when it was there in between", () => {
  const told: string[] = [];
  const seen = kindsGone("https://server", (line) => told.push(line));
  const list = { method: "GET", path: "/apis/bosun.dev/v1alpha1/namespaces/crew/reviews?limit=500" } as const;
  seen(list, 200);
  seen(list, 404);
  seen(list, 404);
  expect(told).toEqual([
    "https://server does not serve reviews.bosun.dev any more: all objects of that kind are gone. What needs them waits. Run `bosun install`.",
  ]);
  seen(list, 200);
  seen(list, 404);
  expect(told).toHaveLength(2);
});

test("a kind that was never served is no kind that is gone: who starts looks for it by himself", () => {
  const told: string[] = [];
  const seen = kindsGone("https://server", (line) => told.push(line));
  seen({ method: "GET", path: "/apis/bosun.dev/v1alpha1/namespaces/crew/workspaces" }, 404);
  expect(told).toEqual([]);
});

test("an object that is not there says nothing of its kind", () => {
  const told: string[] = [];
  const seen = kindsGone("https://server", (line) => told.push(line));
  seen({ method: "GET", path: "/apis/bosun.dev/v1alpha1/namespaces/crew/reviews" }, 200);
  seen({ method: "GET", path: "/apis/bosun.dev/v1alpha1/namespaces/crew/reviews/p1-1" }, 404);
  seen({ method: "POST", path: "/apis/bosun.dev/v1alpha1/namespaces/crew/reviews" }, 404);
  seen({ method: "GET", path: "/apis/coordination.k8s.io/v1/namespaces/crew/leases/bosun" }, 404);
  expect(told).toEqual([]);
});
