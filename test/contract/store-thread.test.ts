import { openStoreThread } from '../../src/storage/embedded/store-thread.ts';
import { storeContract } from './store.contract.ts';
import { storeInFile } from './store-in-file.ts';

storeContract('embedded, in a thread of its own', storeInFile(openStoreThread));
