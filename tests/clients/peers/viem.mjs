// Many transactions of one sender by viem. See intents.mjs.

import { createRequire } from 'node:module'

import { createPublicClient, createWalletClient, defineChain, http } from 'viem'
import { nonceManager, privateKeyToAccount } from 'viem/accounts'

import { carryOut } from './intents.mjs'

const { version } = createRequire(import.meta.url)('viem/package.json')

await carryOut(({ url, chainId, privateKey, gas, pollMs, receiptMs, hasOwnCounter }) => {
  const nativeCurrency = { name: 'Ether', symbol: 'ETH', decimals: 18 }
  const chain = defineChain({ id: chainId, name: 'Lastro', nativeCurrency, rpcUrls: { default: { http: [url] } } })
  // After a send that fails, viem itself has the manager read the count of transactions anew.
  const account = privateKeyToAccount(privateKey, hasOwnCounter ? {} : { nonceManager })
  const options = { chain, transport: http(url), pollingInterval: pollMs, cacheTime: 0 }
  const reader = createPublicClient(options)
  const wallet = createWalletClient({ ...options, account })
  return {
    version: `viem ${version}`,
    firstNonce: () => reader.getTransactionCount({ address: account.address }),
    send: (to, nonce) => wallet.sendTransaction({ to, nonce, value: 1n, type: 'legacy', gasPrice: 0n, gas: BigInt(gas) }),
    isMined: async (hash) => (await reader.waitForTransactionReceipt({ hash, timeout: receiptMs })).status === 'success',
    forget: () => {},
  }
})
