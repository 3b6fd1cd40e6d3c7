import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sip } from '../../checks/sip.ts'
import { ask } from '../checks/probing.ts'
import { type RunningServer, startServer } from './harness.ts'

export interface Kamailio extends RunningServer {
  readonly port: number
}

/** Kamailio on both loopback families, UDP and TCP: 200 to OPTIONS, 486 to user `busy`, 401 to `locked`, 100 and 200 to `slow`. */
export async function startKamailio(): Promise<Kamailio> {
  const server = await startServer({
    program: 'kamailio',
    ports: 1,
    prepare: ({ directory, ports }) => writeFile(join(directory, 'kamailio.cfg'), config(ports)),
    args: ({ directory }) => [
      ...['-DD', '-E', '-m', '16', '-M', '4', '-w', directory, '-Y', directory, '-P', join(directory, 'pid')],
      ...['-f', join(directory, 'kamailio.cfg')],
    ],
    isReady: async ({ ports: [port = 0] }) => {
      const options = { login: 'probe@localhost' }
      const asked = (['udp', 'tcp'] as const).map((transport) =>
        ask({ check: sip, port, transport, options, timeoutMs: 200 }),
      )
      return (await Promise.all(asked)).every(({ verdict }) => verdict === 'up')
    },
  })
  const [port = 0] = server.ports
  return { ...server, port }
}

function config([port]: readonly number[]): string {
  const listens = ['127.0.0.1', '[::1]'].flatMap((host) => [`listen=udp:${host}:${port}`, `listen=tcp:${host}:${port}`])
  return `#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children=1
tcp_children=1
${listens.join('\n')}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
request_route {
  if ($rU == "busy") { sl_send_reply("486", "Busy Here"); exit; }
  if ($rU == "locked") { sl_send_reply("401", "Unauthorized"); exit; }
  if ($rU == "slow") { sl_send_reply("100", "Trying"); }
  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
  sl_send_reply("405", "Method Not Allowed");
}
`
}
