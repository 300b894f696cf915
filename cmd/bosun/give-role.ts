import { shellWord } from "../../pkg/system/shell-word.ts";

export interface GivenRole {
  /** The operator's, or that of who declares and steers; `bosun install` makes both. */
  role: "bosun-operator" | "bosun-edit";
  namespace: string;
  /** As the server calls who is given it; a word to be replaced where it is not known. */
  user?: string;
}

/** The command line that gives somebody a role in a namespace of a cluster. */
export function giveRole({ role, namespace, user = "NAME" }: GivenRole): string {
  // Of an identity provider it may be any text.
  return `kubectl -n ${namespace} create rolebinding ${role} --clusterrole=${role} --user=${shellWord(user)}`;
}
