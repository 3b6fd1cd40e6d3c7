import { execFileSync } from 'node:child_process'
import { openKernelTable } from '../../src/backend/netlink/adapter.ts'
import { tableBackendContract } from '../contract/table-backend.ts'
import { tableDetailsContract } from '../contract/table-details.ts'

describe("The kernel's table", () => {
  const open = async (): ReturnType<typeof openKernelTable> => {
    execFileSync('ipvsadm', ['-C'])
    execFileSync('ipvsadm', ['--set', '900', '120', '300'])
    return await openKernelTable()
  }
  tableBackendContract({ open })
  tableDetailsContract({ open })
})
