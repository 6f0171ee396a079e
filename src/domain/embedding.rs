//! The vector that an encoder computes from an item's text. Similar texts have similar vectors.

use serde::Deserialize;

/// The maximum number of dimensions. Published encoders have 256 to 1,024.
pub const MAX_DIMENSIONS: usize = 4096;
/// The factor between a component and its stored integer.
const SCALE: f32 = 127.0;

/// A unit vector whose components are stored as integers from −127 to 127, so that the vector takes one byte per
/// dimension and has the same cosines on every machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<u8>")]
pub struct Embedding(Box<[i8]>);

impl Embedding {
    /// Scales a vector to unit length and rounds its components. Returns `None` if a component is not finite, if all
    /// components are zero, or if there are more than [`MAX_DIMENSIONS`] components.
    pub fn from_floats(vector: &[f32]) -> Option<Embedding> {
        // The vector is first scaled so that its largest component is 1. Otherwise, squares could overflow or vanish.
        let largest = vector.iter().fold(0.0, |largest: f32, component| largest.max(component.abs()));
        let scaled: Vec<f32> = vector.iter().map(|component| component / largest).collect();
        let norm = scaled.iter().map(|component| component * component).sum::<f32>().sqrt();
        let has_direction = norm.is_finite() && vector.iter().all(|component| component.is_finite());
        // The conversion to an integer saturates.
        let round = |component: &f32| (component / norm * SCALE).round() as i8;
        has_direction.then(|| Self::checked(scaled.iter().map(round).collect()))?
    }

    /// Reads the bytes that [`Embedding::to_bytes`] returns. Returns `None` if all bytes are zero or if there are too
    /// many bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Embedding> {
        Self::checked(bytes.iter().map(|byte| byte.cast_signed()).collect())
    }

    fn checked(components: Box<[i8]>) -> Option<Embedding> {
        let is_valid = components.len() <= MAX_DIMENSIONS && components.iter().any(|component| *component != 0);
        is_valid.then_some(Embedding(components))
    }

    /// Returns one byte per dimension: the component as an integer in two's complement.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().map(|component| component.cast_unsigned()).collect()
    }

    /// Returns the integers: the components multiplied by 127.
    pub fn components(&self) -> &[i8] {
        &self.0
    }

    /// Returns the cosine of the angle between two vectors, or 0 if their dimensions differ.
    pub fn cosine(&self, other: &Embedding) -> f32 {
        if self.0.len() != other.0.len() {
            return 0.0;
        }
        let squared_norms = f64::from(self.dot(self)) * f64::from(other.dot(other));
        (f64::from(self.dot(other)) / squared_norms.sqrt()) as f32
    }

    /// Returns the dot product of the integers of two vectors with the same number of dimensions. The result divided by
    /// 127² differs from the cosine by less than 0.01. The computation takes a third of the time of
    /// [`Embedding::cosine`].
    pub fn dot(&self, other: &Embedding) -> i32 {
        let products = self.0.iter().zip(&other.0).map(|(a, b)| i32::from(*a) * i32::from(*b));
        products.sum()
    }
}

impl TryFrom<Vec<u8>> for Embedding {
    type Error = &'static str;

    fn try_from(bytes: Vec<u8>) -> Result<Embedding, &'static str> {
        Embedding::from_bytes(&bytes).ok_or("an embedding is a zero vector")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedding(vector: &[f32]) -> Embedding {
        Embedding::from_floats(vector).expect("the vector has a direction")
    }

    #[test]
    fn cosines_survive_rounding() {
        let wave = |phase: f32| (0..384).map(|n| libm::sinf(n as f32 * 0.37 + phase)).collect::<Vec<f32>>();
        let [a, b] = [wave(0.0), wave(1.0)];
        let exact = a.iter().zip(&b).map(|(a, b)| a * b).sum::<f32>()
            / (a.iter().map(|a| a * a).sum::<f32>() * b.iter().map(|b| b * b).sum::<f32>()).sqrt();
        let [a, b] = [embedding(&a), embedding(&b)];
        assert!((a.cosine(&b) - exact).abs() < 0.005, "{} {exact}", a.cosine(&b));
        assert!((a.dot(&b) as f32 / (SCALE * SCALE) - exact).abs() < 0.01);
        assert_eq!(a.cosine(&a), 1.0);
        assert_eq!(a.cosine(&embedding(&wave(std::f32::consts::PI))), -1.0);
    }

    #[test]
    fn length_of_a_vector_does_not_affect_its_embedding() {
        assert_eq!(embedding(&[3e30, -4e30]), embedding(&[3e-30, -4e-30]));
        assert_eq!(embedding(&[3.0, -4.0]).components(), [76, -102]);
    }

    #[test]
    fn bytes_restore_the_vector() {
        let a = embedding(&[0.1, -0.9, 0.0, 0.4]);
        assert_eq!(Embedding::from_bytes(&a.to_bytes()), Some(a));
    }

    #[test]
    fn vectors_without_direction_are_rejected() {
        for vector in [&[][..], &[0.0, 0.0], &[1.0, f32::NAN], &[f32::INFINITY, 1.0], &[1.0; MAX_DIMENSIONS + 1]] {
            assert_eq!(Embedding::from_floats(vector), None);
        }
        assert_eq!(Embedding::from_bytes(&[0; 384]), None);
    }

    #[test]
    fn vectors_of_different_encoders_are_not_similar() {
        assert_eq!(embedding(&[1.0, 0.0]).cosine(&embedding(&[1.0, 0.0, 0.0])), 0.0);
    }
}
