// Serves the lines of a file as a session: node server.js FILE
const soupbintcp = require('soupbintcp');
const fs = require('fs');

const lines = fs.readFileSync(process.argv[2], 'utf8').trimEnd().split('\n');
const server = new soupbintcp.Server({ port: 0, host: '127.0.0.1' });
server.on('listening', () => console.log(server.address().port));
server.on('session', (session) => {
  session.on('error', () => {});
  session.on('login', (login) => {
    const first = Number(login.requestedSequenceNumber);
    session.accept({ session: 'PEER', sequenceNumber: first });
    for (const line of lines.slice(first - 1)) session.send(Buffer.from(line));
    session.ending();
  });
  session.on('logout', () => session.end());
});
