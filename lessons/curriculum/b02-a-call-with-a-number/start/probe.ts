import { answer, host, kvm, print } from 'lab'

// The host is up, and this is a process on it, at EL0. Is there a hypervisor behind it that answers?
for (const line of await host.messages()) print(line)
const dev = await kvm.open()
answer('api', await dev.apiVersion())
await dev.close()
