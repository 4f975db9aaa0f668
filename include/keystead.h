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

/*
 * Mechanism of C_WrapKey and C_UnwrapKey, without parameter: a token object of any class whole, with all its attributes and its
 * history, as a masked object for the other tokens of a domain. The wrapping key is the domain's. C_UnwrapKey gives the same object,
 * with the same CKA_UNIQUE_ID, in the other token; its template may be empty, or say what the object has. If the object is there
 * already, the later state wins, and nothing frees a key; an earlier state, an object that was destroyed there, and another
 * object of the same id are CKR_WRAPPED_KEY_INVALID.
 */
#define CKM_KEYSTEAD_MASK 0xCB530001UL

/*
 * Types of secret keys that no program makes: the key that the tokens of a domain share (CKA_ID is the domain's id, CKA_LABEL the
 * name that this token gives to it; destroying it is leaving), and what a token keeps of its request to join one.
 */
#define CKK_KEYSTEAD_DOMAIN 0xCB530001UL
#define CKK_KEYSTEAD_DOMAIN_REQUEST 0xCB530002UL

#endif
