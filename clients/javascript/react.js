import { createContext, createElement, useCallback, useContext, useSyncExternalStore } from "react";

const GatewayContext = createContext(null);

export function GatewayProvider({ gateway, children }) {
  return createElement(GatewayContext.Provider, { value: gateway }, children);
}

export function useGateway() {
  const gateway = useContext(GatewayContext);
  if (!gateway) throw new Error("useGateway and useConnection need a <GatewayProvider> around them");
  return gateway;
}

export function useConnection(platform, userId) {
  const gateway = useGateway();
  const subscribe = useCallback(
    (listener) => gateway.subscribe(platform, userId, listener),
    [gateway, platform, userId],
  );
  const read = () => gateway.state(platform, userId);
  const state = useSyncExternalStore(subscribe, read, read);
  const act = useCallback((action, options) => {
    const answer = gateway.act(platform, userId, action, options);
    answer.catch(() => {}); // the problem is in the state
    return answer;
  }, [gateway, platform, userId]);
  return { ...state, act };
}
