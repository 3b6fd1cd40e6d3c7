import { parentPort } from 'node:worker_threads'
import type { OracleQuestion } from './messages.ts'
import { converse } from './session.ts'

// One question at a time, each ended by `left`, `fault`, `endless` or `missing`.
parentPort?.on('message', (question: OracleQuestion) => {
  void converse(question, (message) => parentPort?.postMessage(message))
})
