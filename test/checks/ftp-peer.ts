import type { Socket } from 'node:net'
import { type Behaviour, type Peer, startPeer } from '../check/hostile.ts'

/** What is said to a command: a text, an act, or nothing at all. */
export type Reply = string | ((socket: Socket) => void) | undefined

export interface Script {
  readonly greeting?: Reply
  /** By the first word of a command; those that are not named are answered as a good server would. */
  readonly replies?: Readonly<Record<string, Reply>>
  /** What happens on a data connection. */
  readonly data?: Behaviour
  readonly host?: string
}

export interface FtpPeer {
  readonly control: Peer
  readonly data: Peer
  close(): Promise<void>
}

const good: Readonly<Record<string, Reply>> = {
  USER: '331 password?\r\n',
  PASS: '230 come in\r\n',
  TYPE: '200 binary\r\n',
  RETR: '150 here it comes\r\n226 done\r\n',
  QUIT: '221 bye\r\n',
}

/** A scripted server. The address in its answer to PASV is another machine's, where nobody is to be sent. */
export async function startFtp({ greeting = '220 hello\r\n', ...script }: Script): Promise<FtpPeer> {
  const deliver: Behaviour = script.data ?? ((socket) => socket.end('Still alive\n'))
  const data = await startPeer(deliver, script.host)
  const passive = {
    PASV: `227 (192,0,2,1,${data.port >> 8},${data.port & 0xff})\r\n`,
    EPSV: `229 (|||${data.port}|)\r\n`,
  }
  const replies: Readonly<Record<string, Reply>> = { ...good, ...passive, ...script.replies }
  const talk: Behaviour = (socket) => {
    let rest = ''
    say(socket, greeting)
    socket.on('data', (chunk) => {
      const lines = `${rest}${chunk.toString('latin1')}`.split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) say(socket, replies[line.split(' ', 1)[0] ?? ''])
    })
  }
  const control = await startPeer(talk, script.host)
  return { control, data, close: async () => void (await Promise.all([control.close(), data.close()])) }
}

function say(socket: Socket, reply: Reply): void {
  if (typeof reply === 'function') reply(socket)
  else if (reply !== undefined) socket.write(reply)
}
