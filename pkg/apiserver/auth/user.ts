/** Who asks, as far as the server can tell. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  /** All: everything. Read: everything but writes. None: health and version alone. */
  readonly rights: "All" | "Read" | "None";
}

/** Whoever holds the token, or may open the unix socket. */
export const admin: User = {
  name: "bosun:admin",
  groups: ["system:masters", "system:authenticated"],
  rights: "All",
};

/** Whoever holds the read-only token. */
export const reader: User = {
  name: "bosun:reader",
  groups: ["bosun:readers", "system:authenticated"],
  rights: "Read",
};

/** What somebody of this name and in these groups may do, as far as it is known here. */
export function userCalled(name: string, groups: readonly string[]): User {
  const known = [admin, reader].find(
    (user) => user.name === name || groups.includes(user.groups[0] as string),
  );
  return { name, groups, rights: known?.rights ?? "None" };
}

/** Whoever shows nothing. */
export const anonymous: User = {
  name: "system:anonymous",
  groups: ["system:unauthenticated"],
  rights: "None",
};
