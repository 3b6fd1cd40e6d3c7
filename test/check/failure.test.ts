import assert from 'node:assert/strict'
import { connect } from 'node:tls'
import { ClosedError, NoPortError } from '../../src/check/dial.ts'
import { Failure, failureOf } from '../../src/check/failure.ts'
import { DeadlineError } from '../../src/lib/deadline-error.ts'
import { down, unknown } from '../../src/model/verdict.ts'
import * as hostile from './hostile.ts'

const quiet = new AbortController().signal
const system = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code })

describe('the meaning of an error', () => {
  const rows: readonly (readonly [string, unknown, unknown])[] = [
    ['ECONNREFUSED', system('ECONNREFUSED'), down('refused', 'connection refused while connecting')],
    ['EHOSTUNREACH', system('EHOSTUNREACH'), down('unreachable', 'no route to host while connecting')],
    ['ENETUNREACH', system('ENETUNREACH'), down('unreachable', 'network is unreachable while connecting')],
    ['ECONNRESET', system('ECONNRESET'), down('closed', 'the server reset the connection while connecting')],
    ['EPIPE', system('EPIPE'), down('closed', 'the server closed the connection while connecting')],
    ['ETIMEDOUT', system('ETIMEDOUT'), down('timeout', 'connection timed out while connecting')],
    ['a close', new ClosedError(), down('closed', 'the server closed the connection while connecting')],
    ['no port', new NoPortError(), down('unreachable', 'no port to check: give the real server a port, or checkport')],
    ['a failure that says it', new Failure('auth', 'wrong password'), down('auth', 'wrong password')],
    ['a deadline', new DeadlineError(5), down('timeout', 'no answer within 5 ms: connecting')],
    [
      'EMFILE',
      system('EMFILE'),
      unknown('local-resource', 'this process has too many open files (EMFILE) while connecting'),
    ],
    [
      'EADDRNOTAVAIL',
      system('EADDRNOTAVAIL'),
      unknown('local-resource', 'no local address or port is free (EADDRNOTAVAIL) while connecting'),
    ],
    ['EPERM', system('EPERM'), unknown('not-permitted', 'not permitted on this machine (EPERM) while connecting')],
    [
      'a certificate',
      Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' }),
      down('tls', 'certificate has expired while connecting'),
    ],
    [
      'OpenSSL',
      Object.assign(new Error('long text'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER', reason: 'wrong version number' }),
      down('tls', 'wrong version number while connecting'),
    ],
    [
      'OpenSSL without a reason',
      Object.assign(
        new Error('write EPROTO 40:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../x.c:354:'),
        { code: 'EPROTO' },
      ),
      down('tls', 'wrong version number while connecting'),
    ],
  ]
  for (const [name, error, expected] of rows) {
    it(`${name}`, () => {
      assert.deepEqual(failureOf(error, quiet, 'connecting'), expected)
    })
  }

  for (const code of ['ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRINUSE', 'EAFNOSUPPORT']) {
    it(`${code} is this machine's fault`, () => {
      const result = failureOf(system(code), quiet, 'connecting')
      assert.deepEqual([result.verdict, result.verdict === 'unknown' && result.reason], ['unknown', 'local-resource'])
    })
  }

  it('is the signal, once that has fired, whatever the error looks like', () => {
    const late = AbortSignal.abort(new DeadlineError(300))
    const stopped = AbortSignal.abort(new Error('reload'))
    assert.deepEqual(
      failureOf(system('ECONNRESET'), late, 'reading the body'),
      down('timeout', 'no answer within 300 ms: reading the body'),
    )
    assert.deepEqual(
      failureOf(system('ECONNRESET'), stopped, 'reading the body'),
      unknown('cancelled', 'called off while reading the body'),
    )
  })

  it('is a bug with its stack where nobody foresaw it', () => {
    const error = new TypeError('x is not a function')
    assert.deepEqual(failureOf(error, quiet, 'connecting'), unknown('bug', error.stack ?? ''))
    assert.deepEqual(failureOf('odd\n', quiet, 'connecting'), unknown('bug', 'odd\\n'))
  })

  it('is a short text for what OpenSSL really says', async () => {
    const peer = await hostile.startPeer(hostile.answersAndCloses('HTTP/1.1 400 Bad Request\r\n\r\n'))
    try {
      const socket = connect({ host: peer.address, port: peer.port, rejectUnauthorized: false })
      const error = await new Promise((resolve) => socket.once('error', resolve))
      socket.destroy()
      const result = failureOf(error, quiet, 'in the TLS handshake')
      assert.deepEqual(result, down('tls', 'wrong version number while in the TLS handshake'))
    } finally {
      await peer.close()
    }
  })
})
