import { expect, test } from "vitest";
import { realUpstream } from "./upstream.ts";

const key = { ANTHROPIC_API_KEY: "k" };

test.each([
  ["is not set", {}, "https://api.anthropic.com"],
  ["is empty", { ANTHROPIC_BASE_URL: "" }, "https://api.anthropic.com"],
  ["is a proxy's", { ANTHROPIC_BASE_URL: "http://127.0.0.1:8080/v1" }, "http://127.0.0.1:8080/v1"],
])("an address that %s is taken", (_name, env, baseUrl) => {
  expect(realUpstream({ ...key, ...env }).config).toEqual({ baseUrl, credential: { apiKey: "k" } });
});

test.each(["api.anthropic.com", "localhost:8080", "file:///etc/hosts", "Error: no url"])(
  "%s as the address is refused at the start, not by every request",
  (text) => {
    const env = { ...key, ANTHROPIC_BASE_URL: text };
    expect(() => realUpstream(env)).toThrow(/ANTHROPIC_BASE_URL must be an address such as https:/);
  },
);
