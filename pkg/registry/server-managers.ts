/** Under which names parts of the server own the fields that they write: Kubernetes', which has them as processes. */
export const apiServerManager = "kube-apiserver";
export const controllersManager = "kube-controller-manager";
