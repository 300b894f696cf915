import { stringify } from "yaml";

export interface KubeconfigOptions {
  /** Of the cluster, its user and the context. */
  readonly name: string;
  /** `https://127.0.0.1:26543` */
  readonly server: string;
  /** The authority's certificate, PEM. */
  readonly authority: string;
  readonly token: string;
}

/** A kubeconfig with one context, which reaches the server with nothing else on disk. */
export function kubeconfig({ name, server, authority, token }: KubeconfigOptions): string {
  const data = Buffer.from(authority).toString("base64");
  return stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name, cluster: { server, "certificate-authority-data": data } }],
      users: [{ name, user: { token } }],
      contexts: [{ name, context: { cluster: name, user: name, namespace: "default" } }],
      "current-context": name,
      preferences: {},
    },
    { lineWidth: 0 },
  );
}
