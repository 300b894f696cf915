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

/** Whoever shows nothing. */
export const anonymous: User = {
  name: "system:anonymous",
  groups: ["system:unauthenticated"],
  rights: "None",
};
