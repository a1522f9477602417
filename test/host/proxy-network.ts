/**
 * A script that removes the network `proxy` as soon as nothing is on it any more, and waits until it
 * is gone: the machine lets go of it only after the last container, and takes no other until then.
 */
export const removeProxyNetwork = `for n in $(seq 300); do
  docker network rm proxy >/dev/null 2>&1 || true
  docker network inspect proxy >/dev/null 2>&1 || break
  sleep 0.1
done
`;
