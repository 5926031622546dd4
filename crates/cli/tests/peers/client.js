// Prints the messages of a session: node client.js PORT
const soupbintcp = require('soupbintcp');

const client = new soupbintcp.Client({ port: Number(process.argv[2]), host: '127.0.0.1' });
client.on('connect', () =>
  client.login({ username: 'QC', password: 'secret', requestedSession: '', requestedSequenceNumber: 1 }));
client.on('accept', (accepted) => { if (accepted.sequenceNumber !== 1) process.exit(1); });
client.on('reject', () => process.exit(1));
client.on('message', (message) => process.stdout.write(message.toString() + '\n'));
client.on('ending', () => client.end());
