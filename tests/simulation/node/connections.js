// Drives SelfCommunity's published client over a community's connections, and prints its answers as one JSON document.
'use strict';

const {Endpoints, UserApiClient, apiRequest, generateJWTToken, http} = require('@selfcommunity/api-services');

const [url, secret] = process.argv.slice(2);

// The client has the address of this call, but no method for it.
const {UserCheckConnectionStatus} = Endpoints;
const status = (id) => apiRequest({url: UserCheckConnectionStatus.url({id}), method: UserCheckConnectionStatus.method});

async function main() {
  http.setBasePortal(url);
  http.setAuthorizeToken(await generateJWTToken(1, secret));
  const answers = {
    me: await UserApiClient.getCurrentUser(),
    status: await status(103),
    statuses: await UserApiClient.getUserConnectionStatuses([101, 102, 104, 404404]),
    received: await UserApiClient.getUserConnectionRequests(),
    sent: await UserApiClient.getUserRequestConnectionsSent({limit: 1, offset: 1}),
    connections: await UserApiClient.getUserConnections(1, {limit: 2, offset: 1}),
    request: await UserApiClient.userRequestConnection(105),
    accept: await UserApiClient.userAcceptRequestConnection(102),
    reject: await UserApiClient.userRejectConnectionRequest(5000),
    cancel: await UserApiClient.userCancelRequestConnection(103),
    remove: await UserApiClient.userRemoveConnection(101),
    refused: await UserApiClient.userRemoveConnection(105).catch((error) => error.response.status),
  };
  process.stdout.write(JSON.stringify(answers));
}

main();
