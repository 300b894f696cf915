import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepCredentials } from "./credentials.ts";

const dayMs = 86_400_000;
const now = Date.UTC(2026, 0, 1);
let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(path.join(tmpdir(), "bosun-credentials-"));
  folder = path.join(parent, "serving");
});
afterEach(() => rmSync(parent, { recursive: true }));

test("a first start makes an authority, a certificate for loopback and two tokens, which nobody else can read", async () => {
  const { authority, server, tokens } = await keepCredentials(folder, "127.0.0.1", now);
  const certificate = new X509Certificate(server.certificate);
  const ca = new X509Certificate(authority.certificate);
  expect(ca.ca).toBe(true);
  expect(certificate.ca).toBe(false);
  expect(certificate.verify(ca.publicKey)).toBe(true);
  expect(certificate.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
  expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  expect(tokens.admin).toMatch(/^[0-9a-f]{64}$/);
  expect(tokens.reader).toMatch(/^[0-9a-f]{64}$/);
  expect(tokens.reader).not.toBe(tokens.admin);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(folder))
    expect([name, statSync(path.join(folder, name)).mode & 0o777]).toEqual([name, 0o600]);
});

test("later starts keep all of it; a certificate is renewed in time, the authority and the tokens stay", async () => {
  const first = await keepCredentials(folder, "127.0.0.1", now);
  expect(await keepCredentials(folder, "127.0.0.1", now + 200 * dayMs)).toEqual(first);
  const renewed = await keepCredentials(folder, "127.0.0.1", now + 300 * dayMs);
  expect(renewed).toMatchObject({ authority: first.authority, tokens: first.tokens });
  expect(new X509Certificate(renewed.server.certificate).validToDate.getTime()).toBe(now + 665 * dayMs);
  const years = await keepCredentials(folder, "127.0.0.1", now + 3000 * dayMs);
  expect(years.authority).not.toEqual(first.authority);
  expect(years.tokens).toEqual(first.tokens);
  const authority = new X509Certificate(years.authority.certificate);
  expect(new X509Certificate(years.server.certificate).verify(authority.publicKey)).toBe(true);
});

test("another address gets a certificate for it", async () => {
  const first = await keepCredentials(folder, "127.0.0.1", now);
  const second = await keepCredentials(folder, "192.0.2.7", now);
  expect(second.authority).toEqual(first.authority);
  expect(new X509Certificate(second.server.certificate).checkIP("192.0.2.7")).toBe("192.0.2.7");
  expect(await keepCredentials(folder, "127.0.0.1", now)).toEqual(second);
});

test.each(["ca.pem", "server.pem", "token", "token-read-only"])("a damaged %s is made anew", async (file) => {
  const first = await keepCredentials(folder, "127.0.0.1", now);
  writeFileSync(path.join(folder, file), "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n");
  const second = await keepCredentials(folder, "127.0.0.1", now);
  expect(second).not.toEqual(first);
  const authority = new X509Certificate(second.authority.certificate);
  expect(new X509Certificate(second.server.certificate).verify(authority.publicKey)).toBe(true);
});
