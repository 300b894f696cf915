/** What `kubectl version` shows: the Kubernetes release whose protocol is spoken. */
export const version = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.0+bosun",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: "",
};
