import "https://gateway.example.com/client/element.js";

for (let id = 1000; id < 1100; id += 1) {
  const status = document.createElement("connection-status");
  Object.assign(status, { platform: "acme", userId: id, label: `User ${id}` });
  const card = document.createElement("li");
  card.append(`User ${id} `, status);
  document.querySelector("#people").append(card);
}
