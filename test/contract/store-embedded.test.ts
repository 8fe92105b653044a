import { openEmbeddedStore } from '../../src/storage/embedded/embedded-store.ts';
import { storeContract } from './store.contract.ts';
import { storeInFile } from './store-in-file.ts';

storeContract('embedded', storeInFile(openEmbeddedStore));
