export function viewerToken(options: { renew: boolean }): Promise<string>;
