/*
 * Keystead: what it has beyond PKCS #11. Needs nothing else; CK_BBOOL and the like are those of your pkcs11.h.
 *
 * Numbers are 0xCB53xxxx: the vendor bit and "KS". What is here keeps its number and meaning.
 */
#ifndef KEYSTEAD_H
#define KEYSTEAD_H

/*
 * CK_BBOOL, of secret and private keys: whether the key may ever travel, as a masked object, to another token of its domain.
 * May be given when the key is created, generated, unwrapped, derived or copied. Default: CK_TRUE for extractable keys; for
 * others as the token was initialised, CK_FALSE unless the configuration said otherwise. Later only CK_TRUE to CK_FALSE.
 */
#define CKA_KEYSTEAD_MASKABLE 0xCB530001UL

#endif
