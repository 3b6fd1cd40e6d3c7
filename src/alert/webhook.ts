import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { failed, type Outcome, sent } from './delivery.ts'

/**
 * One POST of JSON on a connection of its own; redirects are not followed. A 4xx other than 408 and 429 will stay one.
 * Rejects with what broke the connection, or with the signal's reason.
 */
export function postJson(url: URL, body: string, signal: AbortSignal): Promise<Outcome> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'user-agent': 'ldirectord-ng',
  }
  return new Promise((resolve, reject) => {
    const posting = request(url, { method: 'POST', headers, agent: false, signal }, (response) => {
      // What it says beside its status is of no use: not read.
      response.destroy()
      resolve(outcomeOf(response.statusCode ?? 0))
    })
    posting.on('error', (error) => reject(signal.aborted ? signal.reason : error))
    posting.end(body)
  })
}

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return sent
  const isLasting = status >= 300 && status < 500 && status !== 408 && status !== 429
  return failed(`answered with status ${status}`, { retry: !isLasting })
}
