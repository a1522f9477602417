/**
 * A script that removes the network `proxy` as soon as nothing is on it any more, and waits until it
 * is gone: the machine lets go of it only after the last container, and takes no other until then.
 */
export const removeProxyNetwork = `n=0
while docker network inspect proxy >/dev/null 2>&1; do
  n=$((n + 1))
  if [ $n -gt 60 ]; then echo 'proxy is still there after 30 s' >&2; exit 1; fi
  # Refused as long as a container is on it.
  docker network rm proxy >/dev/null 2>&1 || sleep 0.5
done
`;
