import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";

type Authenticator = Parameters<KubeConfig["addAuthenticator"]>[0];

/**
 * The kubeconfig as kubectl reads it, where the library does otherwise: of the files of `KUBECONFIG` that are there,
 * the first that names something has the say, and a user's `tokenFile` is heeded.
 *
 * @param file - absent: `KUBECONFIG`, else `~/.kube/config`
 */
export function loadAsKubectl(KubeConfigOf: typeof KubeConfig, file: string | undefined): KubeConfig {
  const config = new KubeConfigOf();
  const [first, ...others] = filesOf(file);
  if (first === undefined) {
    config.loadFromDefault();
    return config;
  }
  // The library would take a file that is missing for an empty one.
  const tokenFiles = [...tokenFilesIn(first)];
  config.loadFromFile(first);
  for (const other of others) {
    const more = new KubeConfigOf();
    more.loadFromFile(other);
    tokenFiles.push(...[...tokenFilesIn(other)].filter(([name]) => config.getUser(name) === null));
    config.clusters.push(...more.clusters.filter(({ name }) => config.getCluster(name) === null));
    config.users.push(...more.users.filter(({ name }) => config.getUser(name) === null));
    config.contexts.push(...more.contexts.filter(({ name }) => config.getContextObject(name) === null));
    config.currentContext ||= more.currentContext;
  }
  for (const [userName, tokenFile] of tokenFiles) {
    // Its file goes before a token that stands beside it; for the library the token would.
    config.users = config.users.map((user) => (user.name === userName ? { ...user, token: "" } : user));
    config.addAuthenticator(bearerOf(userName, tokenFile));
  }
  return config;
}

function filesOf(file: string | undefined): string[] {
  if (file !== undefined) return [file];
  const listed = (process.env.KUBECONFIG ?? "").split(path.delimiter).filter((name) => name !== "");
  const files = listed.length === 0 ? [path.join(homedir(), ".kube/config")] : listed;
  return files.filter((name) => existsSync(name));
}

/** By user. */
function tokenFilesIn(file: string): Map<string, string> {
  const { users } = (parse(readFileSync(file, "utf8")) ?? {}) as {
    users?: { name: string; user?: { tokenFile?: string } }[];
  };
  const found = new Map<string, string>();
  for (const { name, user } of users ?? [])
    if (user?.tokenFile !== undefined) found.set(name, path.resolve(path.dirname(file), user.tokenFile));
  return found;
}

/** The file is read for each request: who renews the token replaces it before it runs out. */
function bearerOf(userName: string, file: string): Authenticator {
  return {
    isAuthProvider: ({ name }) => name === userName,
    async applyAuthentication(_, options) {
      options.headers = { ...options.headers, Authorization: `Bearer ${readFileSync(file, "utf8").trim()}` };
    },
  };
}
